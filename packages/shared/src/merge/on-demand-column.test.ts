import { describe, expect, it } from "vitest";
import type { Catalog } from "../contracts/catalog.ts";
import type { ReadColumn } from "../contracts/read.ts";
import { compileDefinitions } from "../definitions/compile.ts";
import { entity } from "../definitions/entity.ts";
import { featureService } from "../definitions/feature-service.ts";
import { float64, string } from "../definitions/feature-type.ts";
import { onDemandFeature } from "../definitions/on-demand.ts";
import { directView } from "../definitions/view.ts";
import { replyColumns, selectColumns } from "./column-selection.ts";
import { planOnDemand } from "./on-demand-column.ts";

const view = directView("v", {
  entity: entity("e", { key: { id: string() } }),
  producers: [],
  freshness: "1m",
  features: { a: float64(), b: float64(), c: float64() },
});
const sum = onDemandFeature("sum", { inputs: { x: float64(), y: float64() }, type: float64(), cel: "x + y" });
const half = onDemandFeature("half", { inputs: { x: float64() }, type: float64(), cel: "x / 2" });
const alone = onDemandFeature("alone", { inputs: { given: float64() }, type: float64(), cel: "given" });
const service = featureService("s", [view, half.from({ x: "sum" }), sum.from({ x: "a", y: "b" }), alone]);
const catalog: Catalog = { ...compileDefinitions([service]), version: 3, fingerprint: "" };
const onDemand = planOnDemand(catalog, catalog.featureServices.s as Catalog["featureServices"][string]);
const columns = ["a", "b", "c"].map((name) => ({ name }));
const all = { featureService: "s", catalogVersion: 3, columns, onDemand };

const detailed = (
  name: string,
  rows: readonly (readonly [number | null, number | null, number | null, boolean])[],
): ReadColumn => ({
  name,
  values: rows.map(([value]) => value),
  statuses: rows.map(([value]) => (value === null ? "NOT_FOUND" : "PRESENT")),
  eventTimes: rows.map(([, eventTime]) => eventTime),
  agesMs: rows.map(([, , age]) => age),
  fresh: rows.map(([, , , fresh]) => fresh),
  lane: "direct",
});

describe("a selection of columns", () => {
  it("takes all, stored ones first and each behind those that it needs", () => {
    expect(selectColumns(all, undefined).names).toEqual(["a", "b", "c", "sum", "half", "alone"]);
  });

  it("leaves stored columns as they are where there is nothing else", () => {
    const stored = selectColumns({ ...all, onDemand: [] }, undefined);
    expect(stored.names).toBeUndefined();
    const columns = [detailed("a", []), detailed("b", [])];
    expect(replyColumns(stored, columns, { rows: [], detail: true, failed: () => {} })).toBe(columns);
  });

  it("fetches just what the columns asked for are computed of", () => {
    const selection = selectColumns(all, ["half", "c"]);
    expect(selection.stored.map(({ name }) => name)).toEqual(["a", "b", "c"]);
    expect(selection.onDemand.map(({ name }) => name)).toEqual(["sum", "half"]);
    expect(selectColumns(all, ["alone"]).stored).toEqual([]);
    expect(selectColumns(all, ["b"]).onDemand).toEqual([]);
  });

  it("refuses an unknown one by name", () => {
    const unknown = 'feature service "s" has no feature "nope" in catalog version 3';
    expect(() => selectColumns(all, ["a", "nope"])).toThrow(
      expect.objectContaining({ code: "UNKNOWN_FEATURE", message: unknown }),
    );
  });
});

describe("a column computed of others", () => {
  const failures: unknown[] = [];
  const input = {
    rows: [{ given: 1 }, { given: 2 }],
    detail: true,
    failed: (...told: unknown[]) => failures.push(told),
  };
  const stored = [
    detailed("a", [
      [1, 100, 5, true],
      [null, null, null, false],
    ]),
    detailed("b", [
      [3, 90, 7, true],
      [4, 80, 9, true],
    ]),
    detailed("c", [
      [0, 0, 0, true],
      [0, 0, 0, true],
    ]),
  ];

  it("has the oldest time and the greatest age of its inputs, is fresh when they all are, and has no lane", () => {
    const { names = [], ...selection } = selectColumns(all, undefined);
    const reply = replyColumns({ ...selection, names: [...names].reverse() }, stored, input);
    expect(reply.map(({ name }) => name)).toEqual([...names].reverse());
    const detail = { statuses: ["PRESENT", "NULL_VALUE"], eventTimes: [90, 80], agesMs: [7, 9], fresh: [true, false] };
    expect(reply.find(({ name }) => name === "sum")).toEqual({ name: "sum", values: [4, null], ...detail });
    expect(reply.find(({ name }) => name === "half")).toEqual({ name: "half", values: [2, null], ...detail });
    expect(reply.find(({ name }) => name === "alone")).toEqual({
      name: "alone",
      values: [1, 2],
      statuses: ["PRESENT", "PRESENT"],
      eventTimes: [null, null],
      agesMs: [null, null],
      fresh: [true, true],
    });
    expect(failures).toEqual([
      ["sum", 1],
      ["half", 1],
    ]);
  });

  it("is just values without detail", () => {
    const reply = replyColumns(selectColumns(all, ["half"]), stored, { ...input, detail: false });
    expect(reply).toEqual([{ name: "half", values: [2, null] }]);
  });
});

describe("an on-demand feature of a catalog", () => {
  it("that this build cannot take is refused by name", () => {
    const broken = structuredClone(catalog);
    (broken.onDemandFeatures?.sum as { expression: string }).expression = "x +";
    expect(() => planOnDemand(broken, broken.featureServices.s as Catalog["featureServices"][string])).toThrow(
      expect.objectContaining({
        code: "INVALID_DEFINITION",
        message: expect.stringContaining('on-demand feature "sum": CEL "x +"'),
      }),
    );
  });
});
