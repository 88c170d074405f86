import { readFileSync } from "node:fs";
import type { BatchView, Catalog } from "@tributary/shared/contracts/catalog";
import { compileDefinitions } from "@tributary/shared/definitions/compile";
import {
  bool,
  bytes,
  date,
  float32,
  float64,
  int32,
  int64,
  json,
  list,
  map,
  string,
  timestamp,
} from "@tributary/shared/definitions/feature-type";
import { onDemandFeature } from "@tributary/shared/definitions/on-demand";
import { describe, expect, it } from "vitest";
import { defineOnDemand } from "../../services/batch-runner/src/handlers/define-on-demand.ts";
import * as guide from "../store/on-demand-guide.ts";
import { rowsOf, useEngine } from "./engine-fixture.ts";

const same = <const N extends string, T>(name: N, type: T & Parameters<typeof onDemandFeature>[1]["type"]) =>
  onDemandFeature(name, { inputs: { x: type }, type, cel: "x" });
const features = [
  same("of_bool", bool()),
  same("of_int32", int32()),
  same("of_int64", int64()),
  same("of_float32", float32()),
  same("of_float64", float64()),
  same("of_string", string()),
  same("of_bytes", bytes()),
  same("of_timestamp", timestamp()),
  same("of_date", date()),
  same("of_json", json()),
  same("of_numbers", list(int64())),
  same("of_texts", list(string())),
  same("of_map", map(string())),
  onDemandFeature("tell", { inputs: { a: float64(), b: string() }, type: string(), cel: "b + string(a)" }),
  ...Object.values(guide),
];
const catalog: Catalog = { ...compileDefinitions(features), version: 1, fingerprint: "" };
const page = readFileSync(new URL("../../docs/guides/compute-at-read-time.md", import.meta.url), "utf8");

describe("an on-demand feature in SQL", () => {
  const fixture = useEngine();
  const define = (sql: string) => defineOnDemand(fixture.engine(), { name: "v", sql } as BatchView, catalog);

  it.each([
    ["of_bool", "true", "BOOLEAN"],
    ["of_int32", "-7", "INTEGER"],
    ["of_int64", "9007199254740991", "BIGINT"],
    ["of_float32", "0.5::FLOAT", "FLOAT"],
    ["of_float64", "2.25", "DOUBLE"],
    ["of_string", "'é''😀'", "VARCHAR"],
    ["of_bytes", "'ab'::BLOB", "BLOB"],
    ["of_timestamp", "TIMESTAMP '2026-01-31 12:00:00.123'", "TIMESTAMP"],
    ["of_date", "DATE '1969-12-31'", "DATE"],
    ["of_json", `'{"a":[1,null,"b"]}'`, "VARCHAR"],
    ["of_numbers", "[1, NULL, 3]::BIGINT[]", "BIGINT[]"],
    ["of_texts", "['a', NULL]", "VARCHAR[]"],
  ])("%s gives the same %s back, as %s, and NULL", async (name, value, type) => {
    const query = `SELECT ${name.toUpperCase()}(${value}) IS NOT DISTINCT FROM ${value}, ${name}(NULL) IS NULL, typeof(${name}(${value}))`;
    await define(query);
    expect(await rowsOf(fixture.engine(), query)).toEqual([[true, true, type]]);
  });

  it("takes columns of other types than declared as SQL casts them", async () => {
    const query = "SELECT tell(a, 'n') FROM (VALUES (1::HUGEINT), (2), (NULL)) t(a)";
    await define(query);
    expect(await rowsOf(fixture.engine(), query)).toEqual([["n1"], ["n2"], [null]]);
  });

  it("is refused where a type is not for SQL, and only where it is called", async () => {
    await define("SELECT of_map FROM t");
    await expect(define("SELECT of_map(x) FROM t")).rejects.toMatchObject({
      code: "INVALID_DEFINITION",
      message: expect.stringContaining('of on-demand feature "of_map" is a map'),
    });
  });

  it("is called as the guide says, whose definitions are those that are compiled", async () => {
    const [definitions = "", read = ""] = [...page.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code = ""]) => code);
    const compiled = readFileSync(new URL("../store/on-demand-guide.ts", import.meta.url), "utf8");
    for (const part of definitions.split(/\n\n/)) expect(compiled).toContain(part.trim());
    expect(readFileSync(new URL("../types/compute-at-read-time.test-d.ts", import.meta.url), "utf8")).toContain(read);
    const sql = /```sql\n([\s\S]*?)```/.exec(page)?.[1] ?? "";
    await fixture.engine().exec("CREATE TABLE flights AS SELECT 'ORD' AS origin, 'LAX' AS destination, 30 AS delay");
    await define(sql);
    expect(await rowsOf(fixture.engine(), sql)).toEqual([["ORD", "LAX", 0.6]]);
  });
});
