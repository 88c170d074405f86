import type { Feature } from "@tributary/shared/contracts/feature";
import { describe, expect, it } from "vitest";
import { typedRowsQuery } from "../../services/batch-runner/src/core/typed-rows.ts";
import { castOne } from "./cast-one.ts";
import { rowsOf, useEngine } from "./engine-fixture.ts";

type Shape = Omit<Feature, "name">;

describe("the cast to declared types", () => {
  const { engine } = useEngine();
  const cast = (shape: Shape, sql: string) => castOne(engine(), { name: "f", ...shape }, sql);

  it.each<[Shape, string, unknown]>([
    [{ type: "bool" }, "true", true],
    [{ type: "int32" }, "7::BIGINT", 7],
    [{ type: "int32" }, "7.0::DOUBLE", 7],
    [{ type: "int64" }, "sum(7)", 7],
    [{ type: "int64" }, "9007199254740991", Number.MAX_SAFE_INTEGER],
    [{ type: "int64" }, "'12'", 12],
    [{ type: "float32" }, "0.1::DOUBLE", Math.fround(0.1)],
    [{ type: "float64" }, "1::DECIMAL(9,2) / 4", 0.25],
    [{ type: "float64" }, "'-0.0'::DOUBLE", 0],
    [{ type: "string" }, "'é'", "é"],
    [{ type: "bytes" }, "'ab'::BLOB", new Uint8Array([97, 98])],
    [{ type: "timestamp" }, "TIMESTAMP '2001-06-01 00:00:00.1239'", Date.parse("2001-06-01T00:00:00.123Z")],
    [{ type: "timestamp" }, "TIMESTAMP '1960-01-01 00:00:00'", Date.parse("1960-01-01T00:00:00Z")],
    [{ type: "timestamp" }, "'2001-06-01T02:00:00+02:00'", Date.parse("2001-06-01T00:00:00Z")],
    [{ type: "timestamp" }, "'2001-06-01T02:00:00+02:00'::TIMESTAMPTZ", Date.parse("2001-06-01T00:00:00Z")],
    [{ type: "timestamp" }, "991353600123", 991_353_600_123],
    [{ type: "date" }, "DATE '1970-01-11'", 10],
    [{ type: "json" }, `'{"b": [1, null], "a": "é"}'`, { b: [1, null], a: "é" }],
    [{ type: "json" }, "{'a': 1, 'b': [true]}", { a: 1, b: [true] }],
    [{ type: "json" }, "'null'", null],
    [{ type: "list", of: "string" }, "['a', NULL]", ["a", null]],
    [{ type: "list", of: "int64" }, "[1, 2]::INTEGER[]", [1, 2]],
    [{ type: "list", of: "float64" }, "[1.5, 2]", [1.5, 2]],
    [{ type: "vector", dimension: 2 }, "[1.5, -2]", new Uint8Array(new Float32Array([1.5, -2]).buffer)],
    [{ type: "vector", dimension: 2 }, "[1.5, -2]::FLOAT[2]", new Uint8Array(new Float32Array([1.5, -2]).buffer)],
    [{ type: "int64" }, "NULL::BIGINT", null],
    [{ type: "json" }, "NULL::JSON", null],
    [{ type: "list", of: "string" }, "NULL::VARCHAR[]", null],
    [{ type: "string", enum: ["a", "b"] }, "'a'", "a"],
    [{ type: "float64", min: 0, max: 1 }, "1", 1],
    [{ type: "string" }, `'"é\\n"'::JSON`, "é\n"],
    [{ type: "int64" }, "'9007199254740991'::JSON", Number.MAX_SAFE_INTEGER],
    [{ type: "int64" }, `'"12"'::JSON`, 12],
    [{ type: "float64" }, "'1e3'::JSON", 1_000],
    [{ type: "bool" }, "'true'::JSON", true],
    [{ type: "bytes" }, `'"AQI="'::JSON`, new Uint8Array([1, 2])],
    [{ type: "timestamp" }, "'991353600123'::JSON", 991_353_600_123],
    [{ type: "timestamp" }, `'"2001-06-01T02:00:00+02:00"'::JSON`, Date.parse("2001-06-01T00:00:00Z")],
    [{ type: "json" }, `'{"a": [1, null]}'::JSON`, { a: [1, null] }],
    [{ type: "list", of: "int64" }, `'[1, null, "3"]'::JSON`, [1, null, 3]],
    [{ type: "list", of: "string" }, `'["a", 1.5]'::JSON`, ["a", "1.5"]],
    [{ type: "vector", dimension: 2 }, "'[1.5, -2]'::JSON", new Uint8Array(new Float32Array([1.5, -2]).buffer)],
    [{ type: "int64" }, "'null'::JSON", null],
  ])("takes %j from %s", async (shape, sql, value) => {
    expect(await cast(shape, sql)).toEqual({ problem: null, value });
  });

  it.each<[Shape, string, string]>([
    [{ type: "bool" }, "'maybe'", "is not bool"],
    [{ type: "int32" }, "3000000000", "is not int32"],
    [{ type: "int32" }, "1.5::DOUBLE", "is not a whole number"],
    [{ type: "int64" }, "'1.5'", "is not a whole number"],
    [{ type: "int64" }, "9007199254740992", "is a whole number beyond ±2^53"],
    [{ type: "float32" }, "1e300::DOUBLE", "is not float32"],
    [{ type: "float64" }, "'nan'::DOUBLE", "is not a finite number"],
    [{ type: "float64" }, "'-inf'::DOUBLE", "is not a finite number"],
    [{ type: "float64" }, "'abc'", "is not float64"],
    [{ type: "string" }, "repeat('é', 2049)", "is longer than 4096 bytes"],
    [{ type: "string", enum: ["a", "it's"] }, "'c'", "must be one of a, it's"],
    [{ type: "timestamp" }, "'infinity'::TIMESTAMP", "is not a timestamp"],
    [{ type: "timestamp" }, "'yesterday'", "is not timestamp"],
    [{ type: "date" }, "'infinity'::DATE", "is not a date"],
    [{ type: "json" }, "'{'", "is not json"],
    [{ type: "list", of: "int64" }, "['1', 'x']", "has an element that is not int64"],
    [{ type: "list", of: "float64" }, "['nan'::DOUBLE]", "has an element that is not a finite number"],
    [{ type: "vector", dimension: 3 }, "[1, 2]", "has not 3 elements"],
    [{ type: "vector", dimension: 2 }, "[1, NULL]", "has an element that is not a finite number"],
    [{ type: "list", of: "int64" }, "['1.5']", "has an element that is not a whole number"],
    [{ type: "list", of: "int64" }, "[2.5]::DOUBLE[]", "has an element that is not a whole number"],
    [{ type: "int64" }, "'1.5'::JSON", "is not a whole number"],
    [{ type: "int64" }, "'[1]'::JSON", "is not int64"],
    [{ type: "bytes" }, `'"$"'::JSON`, "is not bytes"],
    [{ type: "timestamp" }, "'9223372036854775807'::JSON", "is not timestamp"],
    [{ type: "timestamp" }, "'1.5'::JSON", "is not timestamp"],
    [{ type: "list", of: "int64" }, "'5'::JSON", "is not list"],
    [{ type: "list", of: "int64" }, `'["x"]'::JSON`, "has an element that is not int64"],
    [{ type: "vector", dimension: 1 }, `'["x"]'::JSON`, "has an element that is not a finite number"],
    [{ type: "float64", min: 0 }, "-0.1", "must be at least 0"],
    [{ type: "float64", max: 1 }, "1.1", "must be at most 1"],
  ])("withholds %j from %s, saying why", async (shape, sql, why) => {
    expect((await cast(shape, sql)).problem).toBe(`feature "f" ${why}`);
  });

  it("withholds a row that would not fit into a chunk", async () => {
    const features: Feature[] = [0, 1, 2].map((i) => ({ name: `f${i}`, type: "json" }));
    const typed = {
      view: "v",
      entity: { name: "e", keys: [{ name: "id", type: "string" as const }] },
      features,
      partitions: 8,
    };
    const list = "to_json(list_transform(range(15000), lambda x: 0.1))";
    const query = `SELECT 'a' AS id, ${features.map(({ name }) => `${list} AS ${name}`).join(", ")}`;
    const rows = typedRowsQuery(typed, query, await engine().describe(query));
    expect(await rowsOf(engine(), `SELECT _problem FROM (${rows})`)).toEqual([["the row is larger than 131072 bytes"]]);
  });

  it("refuses a type that the batch lane does not have", async () => {
    await expect(cast({ type: "map", of: "int64" }, "1")).rejects.toMatchObject({
      code: "INVALID_DEFINITION",
      message: 'feature "f" of view "v" is a map, which the batch lane does not take; use json',
    });
  });

  it("names every missing, extra and doubled column of a view's SQL", async () => {
    const typed = {
      view: "prices",
      entity: { name: "e", keys: [{ name: "id", type: "string" as const }] },
      features: [
        { name: "low", type: "float64" as const },
        { name: "high", type: "float64" as const },
      ],
      partitions: 8,
    };
    const columns = await engine().describe("SELECT 'a' AS id, 1 AS low, 2 AS other");
    expect(() => typedRowsQuery(typed, "", columns)).toThrow(
      'the SQL of view "prices" lacks column "high"; it returns column "other", which is neither a join key nor a feature',
    );
  });
});
