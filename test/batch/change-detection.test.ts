import type { FeatureValue } from "@tributary/shared/contracts/chunk";
import type { Feature } from "@tributary/shared/contracts/feature";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openDuckDb } from "../../services/batch-runner/src/adapters/duckdb-engine.ts";
import {
  detectChangesNaively,
  type OracleSnapshot,
  type OracleValues,
} from "../../services/batch-runner/src/core/change-detection-oracle.ts";
import type { Engine } from "../../services/batch-runner/src/core/engine.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";
import { type DetectionPipeline, startPipeline } from "./detection-pipeline.ts";

const features: Feature[] = [
  { name: "whole", type: "int64" },
  { name: "ratio", type: "float64", tolerance: 0.5 },
  { name: "small", type: "float32" },
  { name: "exact", type: "float64" },
  { name: "word", type: "string" },
  { name: "flag", type: "bool" },
  { name: "tags", type: "list", of: "string" },
];
const tolerances = { ratio: 0.5 };
const names = features.map((feature) => feature.name);

interface Row {
  readonly id: string;
  readonly whole: number | null;
  readonly ratio: number | null;
  readonly small: number | null;
  readonly exact: number | null;
  readonly word: string | null;
  readonly flag: boolean | null;
  readonly tags: readonly (string | null)[] | null;
}
interface Round {
  readonly rows: readonly Row[];
  /** What type the SQL happens to give whole numbers and floats this time. */
  readonly wholeType: string;
  readonly floatType: string;
}

const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: null, freq: 5 });
const special = fc.constantFrom(-0, 0, Number.NaN, Number.POSITIVE_INFINITY, 1e-300, 0.1);
const row: fc.Arbitrary<Row> = fc.record({
  id: fc.constantFrom("a", "b", "c", "d", "é", "日本"),
  whole: maybe(fc.integer({ min: -3, max: 3 })),
  ratio: maybe(
    fc.oneof(
      fc.integer({ min: -8, max: 8 }).map((step) => step * 0.25),
      special,
    ),
  ),
  small: maybe(fc.constantFrom(0, -0, 0.1, 1.5)),
  exact: maybe(fc.oneof(fc.constantFrom(1, 2, 0.1 + 0.2, 0.3), special)),
  word: maybe(fc.constantFrom("", "x", "it's")),
  flag: maybe(fc.boolean()),
  tags: maybe(fc.array(maybe(fc.constantFrom("p", "q")), { maxLength: 2 })),
});
const round: fc.Arbitrary<Round> = fc.record({
  rows: fc.uniqueArray(row, { maxLength: 6, selector: ({ id }) => id }),
  wholeType: fc.constantFrom("INTEGER", "BIGINT", "DOUBLE", "HUGEINT", "DECIMAL(12,3)", "VARCHAR"),
  floatType: fc.constantFrom("DOUBLE", "VARCHAR"),
});

describe("change detection", () => {
  const spill = temporaryDirectory("detection");
  let engine: Engine;
  beforeAll(async () => {
    engine = await openDuckDb({ memoryMb: 256, threads: 1, temporaryMb: 1_024, temporaryDirectory: spill.path });
  });
  afterAll(() => {
    engine.close();
    spill.remove();
  });

  it("agrees with a naive recount over any runs: NULL, NaN, -0.0, drifting types, tolerance, deletes and returns", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(round, { minLength: 1, maxLength: 5 }), async (rounds) => {
        const pipeline = await startPipeline(engine, features);
        let published: OracleSnapshot = new Map();
        for (const [i, input] of rounds.entries()) {
          const expected = oracle(published, input, i + 1);
          const actual = await pipeline.round(sqlOf(input), i + 1, (i + 1) * 1_000);
          expect([...actual.withheld].sort()).toEqual([...withheldOf(input)].sort());
          expect(sorted(actual.changes)).toEqual(sorted(expected.changes));
          expect(sorted(actual.snapshot)).toEqual(sorted(expected.snapshot));
          published = expected.snapshot;
        }
      }),
      { numRuns: 120, verbose: true },
    );
  });

  it("never lets drift under the tolerance escape: it is measured against the published value", async () => {
    const pipeline = await startPipeline(engine, features);
    const shown: number[] = [];
    for (let i = 0; i < 20; i++) {
      const truth = i * 0.2;
      const { snapshot } = await pipeline.round(sqlOf({ rows: [one({ ratio: truth })], ...plainTypes }), i + 1, i);
      const value = snapshot.get("a")?.cells.ratio?.value as number;
      expect(Math.abs(value - truth)).toBeLessThanOrEqual(0.5 + 1e-12);
      shown.push(value);
    }
    expect(new Set(shown).size).toBeGreaterThan(3);
    expect(new Set(shown).size).toBeLessThan(20);
  });

  it("sees no change when only the column's type drifts", async () => {
    const pipeline = await startPipeline(engine, features);
    for (const [i, wholeType] of ["INTEGER", "BIGINT", "HUGEINT", "DOUBLE", "DECIMAL(12,3)", "VARCHAR"].entries()) {
      const input = { rows: [one({ whole: 3, ratio: 0 })], wholeType, floatType: i % 2 ? "VARCHAR" : "DOUBLE" };
      const { changes } = await pipeline.round(sqlOf(input), i + 1, i);
      expect(changes.get("a"), wholeType).toBe(i === 0 ? "inserted" : "unchanged");
    }
  });

  it("publishes only the cells that differ", async () => {
    const pipeline = await startPipeline(engine, features);
    await pipeline.round(sqlOf({ rows: [one({ whole: 1, word: "x" })], ...plainTypes }), 1, 1);
    const { snapshot } = await pipeline.round(sqlOf({ rows: [one({ whole: 2, word: "x" })], ...plainTypes }), 2, 2);
    const cells = snapshot.get("a")?.cells ?? {};
    expect(Object.entries(cells).filter(([, cell]) => cell.run === 2)).toEqual([
      ["whole", { value: 2, time: 2, run: 2 }],
    ]);
  });

  it("withholds a key that comes twice, and keeps what was published of it", async () => {
    const pipeline = await startPipeline(engine, features);
    await publishOne(pipeline);
    const { changes, snapshot, withheld } = await pipeline.round(
      sqlOf({ rows: [one({ whole: 2 }), one({ whole: 3 })], ...plainTypes }),
      2,
      2,
    );
    expect([...withheld]).toEqual(["a"]);
    expect(changes.get("a")).toBe("withheld");
    expect(snapshot.get("a")?.cells.whole).toEqual({ value: 1, time: 1, run: 1 });
  });
});

const plainTypes = { wholeType: "BIGINT", floatType: "DOUBLE" };

function one(values: Partial<Row>): Row {
  return { id: "a", whole: null, ratio: null, small: null, exact: null, word: null, flag: null, tags: null, ...values };
}

function publishOne(pipeline: DetectionPipeline) {
  return pipeline.round(sqlOf({ rows: [one({ whole: 1 })], ...plainTypes }), 1, 1);
}

function oracle(published: OracleSnapshot, input: Round, run: number) {
  const withheld = withheldOf(input);
  const current = new Map(
    input.rows.filter(({ id }) => !withheld.has(id)).map((row) => [row.id, valuesOf(row)] as const),
  );
  return detectChangesNaively({
    current,
    published,
    withheld,
    tolerances,
    features: names,
    run,
    intervalEndMs: run * 1_000,
  });
}

function valuesOf({ id: _id, ...row }: Row): OracleValues {
  const values = { ...row, small: row.small === null ? null : Math.fround(row.small) };
  const noSign = (value: FeatureValue): FeatureValue => (typeof value === "number" ? value + 0 : value);
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, noSign(value as FeatureValue)]));
}

function withheldOf({ rows }: Round): ReadonlySet<string> {
  const isBad = (value: number | null) => value !== null && !Number.isFinite(value);
  return new Set(rows.filter(({ ratio, exact }) => isBad(ratio) || isBad(exact)).map(({ id }) => id));
}

function sqlOf({ rows, wholeType, floatType }: Round): string {
  if (rows.length === 0) return `${sqlOf({ rows: [one({})], wholeType, floatType })} WHERE false`;
  const values = rows.map(
    (row) =>
      `(${[
        text(row.id),
        cast(row.whole, wholeType),
        cast(row.ratio, floatType),
        cast(row.small, "FLOAT"),
        cast(row.exact, floatType),
        row.word === null ? "NULL::VARCHAR" : text(row.word),
        row.flag === null ? "NULL::BOOLEAN" : String(row.flag),
        row.tags === null
          ? "NULL::VARCHAR[]"
          : `[${row.tags.map((tag) => (tag === null ? "NULL" : text(tag))).join(", ")}]::VARCHAR[]`,
      ].join(", ")})`,
  );
  return `SELECT * FROM (VALUES ${values.join(", ")}) t(id, ${names.join(", ")})`;
}

function cast(value: number | null, type: string): string {
  if (value === null) return `NULL::${type}`;
  const written = Object.is(value, -0) ? "-0.0" : String(value);
  return type === "VARCHAR" ? text(written) : `'${written}'::DOUBLE::${type}`;
}

function text(value: string): string {
  return `'${value.replaceAll("'", "''")}'`;
}

function sorted<T>(map: ReadonlyMap<string, T>): [string, T][] {
  return [...map].sort(([a], [b]) => (a < b ? -1 : 1));
}
