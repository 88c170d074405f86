import type { Catalog, Entity, View } from "@tributary/shared/contracts/catalog";
import { type FeatureValue, type Tombstone, tombstone } from "@tributary/shared/contracts/chunk";
import { partitionOf } from "@tributary/shared/contracts/entity-key";
import type { ReadColumn } from "@tributary/shared/contracts/read";
import { fingerprintOf } from "@tributary/shared/definitions/canonical-json";
import { compileDefinitions } from "@tributary/shared/definitions/compile";
import { entity } from "@tributary/shared/definitions/entity";
import { featureService } from "@tributary/shared/definitions/feature-service";
import { int64, string } from "@tributary/shared/definitions/feature-type";
import { tableSource } from "@tributary/shared/definitions/source";
import { batchView, directView } from "@tributary/shared/definitions/view";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { mergeRecord, type SectionWrite } from "../core/cell-merge.ts";
import { groupBy } from "../core/group-by.ts";
import { type AnsweredColumn, isNumberColumn } from "../core/number-columns.ts";
import { compileReadPlan } from "../core/read-plan.ts";
import { emptyRecord, encodeRecord } from "../core/record.ts";
import { type Shape, shapeOf } from "../core/shape.ts";
import { viewRecordKey } from "../core/store-keys.ts";
import { planCache, type ReadContext, readFeatures } from "./read-features.ts";

const thing = entity("thing", { key: { id: string() } });
const table = tableSource("table", { format: "csv", files: ["raw/*.csv"], fields: { id: string() } });
const ttls = { lowest: 40, l0: 10, l1: null, l2: 20, l3: 30, bare: null } as const;
type ViewName = keyof typeof ttls;
const features = { a: int64({ default: -1 }), b: int64() };
const lowest = batchView("lowest", {
  ...{ entity: thing, from: [table], sql: "select 1", every: "1m", freshness: "5ms", ttl: "40ms" },
  features,
});
const common = { entity: thing, producers: [], freshness: "5ms" } as const;
const l0 = directView("l0", { ...common, ttl: "10ms", features });
const l1 = directView("l1", { ...common, ownRecord: true, features: { a: int64({ default: 99 }) } });
const l2 = directView("l2", { ...common, ttl: "20ms", features: { b: int64() } });
const l3 = directView("l3", { ...common, ttl: "30ms", features });
/** Without ttl and defaults, and under no layer: its columns are shown as they are stored. */
const bare = directView("bare", { ...common, features: { a: int64(), b: int64() } });
const all = lowest.overriddenBy(l0).overriddenBy(l1).overriddenBy(l2).overriddenBy(l3);
const service = featureService("s", [
  all.on({ id: "x" }).prefix("x_"),
  all.on({ id: "y" }).rename({ a: "y_a", b: "y_b" }),
  l0.on({ id: "x" }),
]);
const flat = featureService(
  "flat",
  [bare, l1.prefix("defaults_"), l2.prefix("expires_")].map((use) => use.on({ id: "x" })),
);
/** Uppermost first. */
const chains = { a: ["l3", "l1", "l0", "lowest"], b: ["l3", "l2", "l0", "lowest"] } as const;
const body = compileDefinitions([service, flat]);
const catalog: Catalog = { ...body, version: 1, fingerprint: fingerprintOf(body) };

interface Write {
  readonly id: string;
  readonly view: ViewName;
  readonly feature: "a" | "b";
  readonly at: number;
  readonly value: FeatureValue | Tombstone;
}
interface World {
  readonly writes: readonly Write[];
  readonly confirmed: Readonly<Partial<Record<ViewName, number>>>;
  readonly nowMs: number;
}

const views = Object.keys(ttls) as ViewName[];
const instant = fc.integer({ min: 0, max: 60 });
const world: fc.Arbitrary<World> = fc.record({
  writes: fc.array(
    fc.record({
      id: fc.constantFrom("p", "q"),
      view: fc.constantFrom(...views),
      feature: fc.constantFrom("a", "b"),
      at: instant,
      value: fc.oneof<fc.Arbitrary<FeatureValue | Tombstone>[]>(
        fc.nat(9),
        fc.constant(null),
        fc.constant<Tombstone>(tombstone),
      ),
    }),
    { maxLength: 30 },
  ),
  confirmed: fc.dictionary(fc.constantFrom(...views), instant),
  nowMs: fc.integer({ min: 30, max: 80 }),
});

const terms = { deadlineMs: Number.POSITIVE_INFINITY, asNumbers: false };

describe("a read through layers", () => {
  it("sees in each row what a search through all writes finds", async () => {
    await fc.assert(
      fc.asyncProperty(world, async (given) => {
        const fetched: number[] = [];
        const keys = [
          { x: "p", y: "q" },
          { x: "q", y: "q" },
          { x: "none", y: "p" },
        ];
        const request = { featureService: "s", keys, detail: true };
        const { columns } = await readFeatures(contextOf(given, fetched), request, terms);
        // Three entities' records, and the own records of one layer beside them.
        expect(fetched).toEqual([6]);
        for (const name of ["a", "b"] as const)
          for (const key of ["x", "y"] as const) {
            const column = columns.find((one) => one.name === `${key}_${name}`) as ReadColumn | undefined;
            const got = keys.map((_, i) => [
              ...[
                column?.views?.[i],
                column?.lanes?.[i],
                column?.values[i],
                column?.statuses?.[i],
                column?.agesMs?.[i],
              ],
            ]);
            expect(got).toEqual(keys.map((row) => search(given, row[key], name)));
          }
      }),
      { numRuns: 500 },
    );
  });

  it("shows as numbers what it shows as values", async () => {
    const features = fc.option(fc.shuffledSubarray(["x_a", "x_b", "y_a", "y_b", "a", "b"], { minLength: 1 }));
    await fc.assert(
      fc.asyncProperty(world, features, async (given, wanted) => {
        const keys = ["p", "q", "none", "p"].map((x) => ({ x, y: "q" }));
        const request = { featureService: "s", keys, ...(wanted && { features: wanted }) };
        const read = (asNumbers: boolean) => readFeatures(contextOf(given, []), request, { ...terms, asNumbers });
        const [{ columns: numbers }, { columns: values }] = await Promise.all([read(true), read(false)]);
        // What has layers does not come as numbers.
        expect(numbers.filter(isNumberColumn).map(({ name }) => name)).toEqual(
          (wanted ?? ["a", "b"]).filter((name) => name === "a" || name === "b"),
        );
        expect(numbers.map(plain)).toEqual(values);
      }),
      { numRuns: 300 },
    );
  });

  it("shows the same as numbers where some columns are shown as they are stored", async () => {
    const rows = fc.array(fc.constantFrom("p", "q", "none"), { minLength: 1, maxLength: 4 });
    const large: Write = { id: "p", view: "bare", feature: "b", at: 70, value: 2n ** 60n };
    await fc.assert(
      fc.asyncProperty(world, rows, fc.boolean(), async (given, ids, isLarge) => {
        const all = isLarge ? { ...given, writes: [...given.writes, large] } : given;
        const request = { featureService: "flat", keys: ids.map((x) => ({ x })) };
        const read = (asNumbers: boolean) => readFeatures(contextOf(all, []), request, { ...terms, asNumbers });
        const [{ columns: numbers }, { columns: values }] = await Promise.all([read(true), read(false)]);
        // What no number can hold comes as a list.
        const lists = numbers.filter((column) => !isNumberColumn(column)).map(({ name }) => name);
        expect(lists).toEqual(isLarge && ids.includes("p") ? ["b"] : []);
        expect(numbers.map(plain)).toEqual(values);
      }),
      { numRuns: 300 },
    );
  });

  it("fetches a record of a view's own only for what needs it", async () => {
    const fetched: number[] = [];
    const context = contextOf({ writes: [], confirmed: {}, nowMs: 40 }, fetched);
    const read = (features: string[]) =>
      readFeatures(context, { featureService: "s", keys: [{ x: "p", y: "q" }], features }, terms);
    await read(["x_b", "a"]);
    await read(["x_a"]);
    await read(["x_a", "y_a"]);
    expect(fetched).toEqual([1, 2, 4]);
  });

  it("refuses a catalog that puts a view of another entity on top", () => {
    const other = { ...catalog.views.l3, entity: "other" } as View;
    const entities = { ...catalog.entities, other: { ...catalog.entities.thing, name: "other" } as Entity };
    const mixed = { ...catalog, entities, views: { ...catalog.views, l3: other } };
    expect(() => compileReadPlan(mixed, "s")).toThrow(expect.objectContaining({ code: "INVALID_DEFINITION" }));
  });
});

function plain(column: AnsweredColumn): AnsweredColumn {
  if (!isNumberColumn(column)) return column;
  const numbers = [...column.numbers.subarray(column.from, column.from + column.rows)];
  return { name: column.name, values: numbers.map((number) => (Number.isNaN(number) ? null : number)) };
}

/** The oracle: view, lane, value, status and age, found without records, plans or statuses of layers. */
function search({ writes, confirmed, nowMs }: World, id: string, feature: "a" | "b"): unknown[] {
  const fallback = feature === "a" ? -1 : null;
  for (const view of chains[feature]) {
    const mine = writes.filter((one) => one.id === id && one.view === view && one.feature === feature);
    const newest = mine.reduce<Write | undefined>((best, one) => (best && best.at > one.at ? best : one), undefined);
    const isLowest = view === "lowest";
    const lane = isLowest ? "batch" : "direct";
    if (newest === undefined || newest.value === tombstone) {
      if (isLowest) return [view, lane, fallback, "NOT_FOUND", null];
      continue;
    }
    const age = Math.max(
      0,
      nowMs - Math.max(newest.at, confirmedIn(partitionOf(id, catalog.partitions), confirmed[view])),
    );
    if (age <= (ttls[view] ?? age))
      return [view, lane, newest.value ?? fallback, newest.value === null ? "NULL_VALUE" : "PRESENT", age];
    if (isLowest) return [view, lane, fallback, "OUTSIDE_MAX_AGE", age];
  }
  throw new Error("a chain ends at the lowest view");
}

/** Not the same everywhere, so that one partition's cannot stand for another's. */
function confirmedIn(partition: number, atMs: number | undefined): number {
  return atMs === undefined ? Number.NEGATIVE_INFINITY : atMs - (partition % 7);
}

function contextOf({ writes, confirmed, nowMs }: World, fetched: number[]): ReadContext {
  const stored = new Map<string, Buffer>();
  const known = new Map<number, Shape>();
  const sections = writes.map(({ id, view, feature, at, value }, i): SectionWrite & { readonly key: string } => ({
    key: viewRecordKey(partitionOf(id, catalog.partitions), catalog.views[view] as View, id),
    shape: shapeOf(view, 1, [feature]),
    cells: [{ feature, value, version: { eventTime: at, incarnation: 1, sequence: i, minor: 0 } }],
  }));
  for (const [key, own] of groupBy(sections, (section) => section.key)) {
    const record = mergeRecord(undefined, own) ?? emptyRecord;
    for (const { shape } of record.sections.values()) known.set(shape.id, shape);
    stored.set(key, encodeRecord(record, Buffer.alloc(8)));
  }
  const view = { current: catalog } as ReadContext["catalog"];
  return {
    catalog: view,
    clock: { now: () => nowMs } as ReadContext["clock"],
    records: {
      shapes: { find: (id) => known.get(id), learn: async () => undefined, register: async () => undefined },
      read: async (keys) => {
        fetched.push(keys.length);
        return keys.map((key) => stored.get(key) ?? null);
      },
      replace: async () => [],
    },
    state: {
      epoch: "e",
      confirmedAt: (name: ViewName) =>
        Float64Array.from({ length: catalog.partitions }, (_, partition) => confirmedIn(partition, confirmed[name])),
    } as unknown as ReadContext["state"],
    plan: planCache(view),
    onDemandFailed: () => {},
  };
}
