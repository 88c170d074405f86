import { type OracleEvent, recount } from "@tributary/shared/aggregation/oracle";
import type { BatchView, CatalogBody, StreamView } from "@tributary/shared/contracts/catalog";
import { aggregateView } from "@tributary/shared/definitions/aggregate-view";
import { count, max, mean, min, percentile, sum } from "@tributary/shared/definitions/aggregation";
import { compileDefinitions } from "@tributary/shared/definitions/compile";
import type { Duration } from "@tributary/shared/definitions/duration";
import { entity } from "@tributary/shared/definitions/entity";
import { bool, float64, int64, string, timestamp } from "@tributary/shared/definitions/feature-type";
import { eventSource, tableSource } from "@tributary/shared/definitions/source";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { engineFunction, functionMacro } from "../../services/batch-runner/src/core/cel-function.ts";
import { identifier, instant, literal } from "../../services/batch-runner/src/core/sql-text.ts";
import { whereFunction } from "../../services/batch-runner/src/core/where-function.ts";
import { rowsOf, useEngine } from "./engine-fixture.ts";

const fields = { shop: string(), till: int64(), amount: float64({ nullable: true }), refund: bool(), at: timestamp() };
const sales = eventSource("sales", { fields, eventTime: "at", disorder: "1h" });
const past = tableSource("past", { format: "parquet", files: ["a"], fields });
const shop = entity("till", { key: { shop: string(), till: int64() } });

function compile(freshness: Duration, hop: Duration, where?: string): CatalogBody["views"][string] {
  const view = aggregateView("takings", {
    entity: shop,
    from: sales,
    history: past,
    keys: { shop: "shop", till: "till" },
    windows: ["10m", "1h"],
    hop,
    freshness,
    ...(where !== undefined && { where }),
    features: {
      n: count(),
      total: sum("amount"),
      mean: mean("amount"),
      least: min("amount"),
      most: max("amount"),
      median: percentile("amount", 0.5),
      p90: percentile("amount", 0.9),
      p29: percentile("amount", 0.29),
    },
  });
  return compileDefinitions([view]).views.takings as BatchView | StreamView;
}

interface Sale {
  readonly shop: string | null;
  readonly till: number;
  readonly amount: number | null;
  readonly refund: boolean;
  readonly atMs: number;
}

const noon = Date.parse("2026-03-01T12:00:00Z");
const saleArbitrary = (endMs: number): fc.Arbitrary<Sale> =>
  fc.record({
    shop: fc.constantFrom("oslo", "rome", "it's", null),
    till: fc.integer({ min: 1, max: 2 }),
    amount: fc.option(
      fc.oneof(fc.double({ min: -1e6, max: 1e6, noNaN: true }), fc.integer({ min: -3, max: 3 }), fc.constant(1e308)),
    ),
    refund: fc.boolean(),
    atMs: fc.integer({ min: endMs - 75 * 60_000, max: endMs + 60_000 }),
  });

describe("an aggregateView in the batch lane", () => {
  const fixture = useEngine();
  let schemas = 0;

  async function compute(view: BatchView, events: readonly Sale[], endMs: number): Promise<Map<string, unknown[]>> {
    const engine = fixture.engine();
    await engine.exec(`CREATE SCHEMA s${schemas}; USE s${schemas++}`);
    await engine.exec(`CREATE MACRO interval_end() AS ${instant(endMs)}`);
    await engine.exec('CREATE TABLE past (shop VARCHAR, till BIGINT, amount DOUBLE, refund BOOLEAN, "at" TIMESTAMP)');
    const rows = events.map(({ shop, till, amount, refund, atMs }) => {
      const text = shop === null ? "NULL" : literal(shop);
      return `(${text}, ${till}, ${amount === null ? "NULL" : `'${amount}'::DOUBLE`}, ${refund}, ${instant(atMs)})`;
    });
    if (rows.length > 0) await engine.exec(`INSERT INTO past VALUES ${rows.join(", ")}`);
    const filter = whereFunction(view);
    if (filter) {
      engine.register(engineFunction(filter));
      await engine.exec(functionMacro(filter));
    }
    const names = view.features.map(({ name, type }) => `${identifier(name)}${type === "int64" ? "::DOUBLE" : ""}`);
    const found = await rowsOf(engine, `SELECT shop || till, ${names.join(", ")} FROM (${view.sql})`);
    return new Map(found.map(([key, ...values]) => [String(key), values]));
  }

  function expected(stream: StreamView, events: readonly Sale[], endMs: number): Map<string, (number | null)[]> {
    const start = Math.floor((endMs - 3_600_000) / stream.hopMs) * stream.hopMs;
    const inside = events.filter(({ shop, atMs }) => shop !== null && atMs >= start && atMs < endMs);
    const keys = [...new Set(inside.map(({ shop, till }) => `${shop}${till}`))];
    return new Map(
      keys.map((key) => {
        const own = inside.filter(({ shop, till }) => `${shop}${till}` === key);
        const counted = own.map(({ atMs, amount }): OracleEvent => ({ timeMs: atMs, fields: { amount } }));
        const overflow = (value: number | null) => (value !== null && Number.isFinite(value) ? value : null);
        return [key, recount(stream, counted, endMs).map(overflow)];
      }),
    );
  }

  it.each<[string, Duration, number]>([
    ["aligned to the hop", "1m", noon],
    ["between two hops", "5m", noon + 123_457],
    ["before 1970", "1m", -86_400_000 * 365 - 34_567],
  ])("equals a recount of the events, at an end %s", async (_what, hop, endMs) => {
    const batch = compile("3h", hop) as BatchView;
    const stream = compile("10m", hop) as StreamView;
    expect([batch.lane, stream.lane]).toEqual(["batch", "stream"]);
    await fc.assert(
      fc.asyncProperty(fc.array(saleArbitrary(endMs), { maxLength: 40 }), async (events) => {
        const [found, wanted] = [await compute(batch, events, endMs), expected(stream, events, endMs)];
        expect([...found.keys()].sort()).toEqual([...wanted.keys()].sort());
        for (const [key, values] of wanted) {
          const row = found.get(key) ?? [];
          for (const [i, value] of values.entries()) {
            const name = `${key} ${batch.features[i]?.name}`;
            if (value === null) expect(row[i], name).toBeNull();
            else expect(Math.abs(Number(row[i]) - value), name).toBeLessThanOrEqual(Math.abs(value) * 1e-12 + 1e-9);
          }
        }
      }),
      { numRuns: 40 },
    );
  });

  it("filters by the same CEL, and leaves out what the filter cannot judge", async () => {
    const where = "amount > 0.0 && !refund && shop.startsWith('r')";
    const batch = compile("3h", "1m", where) as BatchView;
    const sale = (shop: string, amount: number | null, refund: boolean): Sale => ({
      shop,
      till: 1,
      amount,
      refund,
      atMs: noon - 1,
    });
    const events = [
      sale("rome", 5, false),
      sale("rome", null, false),
      sale("rome", -1, false),
      sale("rome", 7, true),
      sale("oslo", 9, false),
    ];
    const found = await compute(batch, events, noon);
    expect([...found]).toEqual([["rome1", [1, 1, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5]]]);
  });

  it("takes an event at the left edge, none at the end, and no entity of which all events are older", async () => {
    const batch = compile("3h", "1m") as BatchView;
    const sale = (till: number, atMs: number): Sale => ({ shop: "oslo", till, amount: 1, refund: false, atMs });
    const events = [sale(1, noon - 600_000), sale(1, noon - 600_001), sale(1, noon), sale(2, noon - 3_600_001)];
    const found = await compute(batch, events, noon);
    expect([...found.keys()]).toEqual(["oslo1"]);
    expect(found.get("oslo1")?.slice(0, 4)).toEqual([1, 2, 1, 2]);
  });

  it("sums with compensation and ranks percentiles as the stream lane does", async () => {
    const batch = compile("3h", "1m") as BatchView;
    const sale = (amount: number): Sale => ({ shop: "oslo", till: 1, amount, refund: false, atMs: noon - 1 });
    const value = async (name: string, amounts: readonly number[]) => {
      const found = await compute(batch, amounts.map(sale), noon);
      return found.get("oslo1")?.[batch.features.findIndex((feature) => feature.name === name)];
    };
    expect(await value("total_1h", new Array(10).fill(0.1))).toBe(1);
    expect(0.29 * 100).toBeLessThan(29);
    expect(
      await value(
        "p29_1h",
        Array.from({ length: 101 }, (_, i) => i),
      ),
    ).toBe(28);
  });
});
