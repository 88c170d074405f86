import type { Change } from "@tributary/cli/catalog/change";
import { checkLane } from "@tributary/cli/catalog/lane-check";
import { planCatalog, problemsOf } from "@tributary/cli/catalog/plan";
import { showPlan } from "@tributary/cli/catalog/show-plan";
import type { BatchView, CatalogBody, DirectView, StreamView } from "@tributary/shared/contracts/catalog";
import { catalogBodySchema } from "@tributary/shared/contracts/catalog";
import type { EventSource } from "@tributary/shared/contracts/source";
import { canonicalJson } from "@tributary/shared/definitions/canonical-json";
import picocolors from "picocolors";
import { describe, expect, it } from "vitest";

const minute = 60_000;
const base = { version: 1, entity: "airport", freshnessMs: 10 * minute, ttlMs: null };
const direct: DirectView = {
  ...base,
  lane: "direct",
  name: "congestion",
  producers: ["model"],
  features: [
    { name: "score", type: "float32", min: 0, max: 1, default: 0 },
    { name: "level", type: "int32" },
    { name: "mood", type: "string", enum: ["calm", "busy"] },
  ],
};
const batch: BatchView = {
  ...base,
  lane: "batch",
  name: "profile",
  sql: "select 1",
  sources: ["table"],
  everyMs: 5 * minute,
  deleteShareMax: 0.5,
  features: [{ name: "flights", type: "int64" }],
};
const stream: StreamView = {
  ...base,
  lane: "stream",
  name: "now",
  source: "departures",
  keys: { code: "origin" },
  windows: [{ name: "15m", ms: 15 * minute }],
  hopMs: minute,
  aggregations: [{ name: "n", op: "count" }],
  features: [{ name: "n_15m", type: "int64" }],
};
const departures: EventSource = {
  kind: "event",
  name: "departures",
  version: 1,
  fields: [
    { name: "origin", type: "string", nullable: false },
    { name: "delay", type: "int32", nullable: false },
    { name: "at", type: "timestamp", nullable: false },
  ],
  eventTime: "at",
  disorderMs: 0,
  shards: 1,
};
const column = (view: string, feature: string) => ({ name: feature, view, feature, keys: { code: "code" } });
const current: CatalogBody = catalogBodySchema.parse({
  format: 1,
  partitions: 4,
  entities: { airport: { name: "airport", keys: [{ name: "code", type: "string" }] } },
  sources: {
    departures,
    table: { kind: "table", name: "table", format: "csv", files: ["a.csv"], fields: departures.fields },
  },
  views: { congestion: direct, profile: batch, now: stream },
  featureServices: {
    board: {
      name: "board",
      requestKeys: [{ name: "code", type: "string" }],
      columns: [column("congestion", "score"), column("congestion", "mood"), column("now", "n_15m")],
    },
    tower: {
      name: "tower",
      requestKeys: [{ name: "code", type: "string" }],
      columns: [column("profile", "flights")],
    },
  },
});

/** JSON of any shape, at `path`, set to a value; undefined takes it away. */
function edit(path: string, value: unknown, body: CatalogBody = current): CatalogBody {
  const copy = structuredClone(body);
  const steps = path.split("/");
  const last = steps.pop() ?? "";
  // biome-ignore lint/suspicious/noExplicitAny: a test that reaches anywhere
  const place = steps.reduce((at: any, step) => at[step], copy);
  if (value === undefined && Array.isArray(place)) place.splice(Number(last), 1);
  else if (value === undefined) delete place[last];
  else place[last] = value;
  return copy;
}

const brief = ({ kind, what, name, needs, breaks }: Change) =>
  [kind, what, name, needs ?? "-", breaks.join("+")].join(" ").trim();
const plan = (next: CatalogBody) => planCatalog(current, next).changes.map(brief);

const congestion = "views/congestion/features";
const list = <T>(...items: T[]) => items;

describe("what may follow what", () => {
  it.each<[string, string, unknown, string[]]>([
    ["another partition count", "partitions", 8, ["breaking environment partitions newEnvironment board+tower"]],
    ["a described entity", "entities/airport/description", "x", ["compatible entity airport -"]],
    ["a retyped join key", "entities/airport/keys/0/type", "int64", ["breaking entity airport newName board+tower"]],
    ["a retyped feature", `${congestion}/0/type`, "string", ["breaking feature congestion.score newVersion board"]],
    ["a widened float", `${congestion}/0/type`, "float64", ["compatible feature congestion.score -"]],
    ["a widened integer", `${congestion}/1/type`, "int64", ["compatible feature congestion.level -"]],
    ["an integer made a float", `${congestion}/1/type`, "float64", ["breaking feature congestion.level newVersion"]],
    [
      "a narrowed integer",
      "views/profile/features/0/type",
      "int32",
      ["breaking feature profile.flights newVersion tower"],
    ],
    ["a lower min", `${congestion}/0/min`, -1, ["compatible feature congestion.score -"]],
    ["no min", `${congestion}/0/min`, undefined, ["compatible feature congestion.score -"]],
    ["a higher min", `${congestion}/0/min`, 0.5, ["breaking feature congestion.score newVersion board"]],
    ["a first min", `${congestion}/1/min`, 0, ["breaking feature congestion.level newVersion"]],
    ["a higher max", `${congestion}/0/max`, 2, ["compatible feature congestion.score -"]],
    ["a lower max", `${congestion}/0/max`, 0.5, ["breaking feature congestion.score newVersion board"]],
    ["more allowed texts", `${congestion}/2/enum`, ["wild", "busy", "calm"], ["compatible feature congestion.mood -"]],
    ["fewer allowed texts", `${congestion}/2/enum`, ["busy"], ["breaking feature congestion.mood newVersion board"]],
    ["another default", `${congestion}/0/default`, 1, ["compatible feature congestion.score -"]],
    ["no default", `${congestion}/0/default`, undefined, ["breaking feature congestion.score newVersion board"]],
    ["a tolerance", `${congestion}/0/tolerance`, 0.1, ["compatible feature congestion.score -"]],
    ["a new feature", `${congestion}/3`, { name: "new", type: "json" }, ["addition feature congestion.new -"]],
    ["a feature gone", `${congestion}/1`, undefined, ["removal feature congestion.level allowDestroy"]],
    ["features in another order", congestion, [...direct.features].reverse(), ["compatible view congestion -"]],
    ["another freshness", "views/congestion/freshnessMs", 1, ["compatible view congestion -"]],
    ["another ttl", "views/congestion/ttlMs", 1, ["compatible view congestion -"]],
    ["an owner", "views/congestion/owner", "x", ["compatible view congestion -"]],
    ["another producer", "views/congestion/producers", [], ["compatible view congestion -"]],
    ["another entity", "views/congestion/entity", "gate", ["breaking view congestion newVersion board"]],
    ["a higher version", "views/congestion/version", 2, ["breaking view congestion - board"]],
    ["a lower version", "views/congestion/version", 0, ["breaking view congestion newVersion board"]],
    ["other SQL", "views/profile/sql", "select 2", ["compatible view profile -"]],
    ["another interval", "views/profile/everyMs", minute, ["compatible view profile -"]],
    ["other table sources", "views/profile/sources", ["other"], ["compatible view profile -"]],
    ["another delete guard", "views/profile/deleteShareMax", 1, ["compatible view profile -"]],
    ["another event source", "views/now/source", "arrivals", ["breaking view now newVersion board"]],
    ["another key field", "views/now/keys", { code: "destination" }, ["breaking view now newVersion board"]],
    ["a filter", "views/now/where", "delay > 0", ["breaking view now newVersion board"]],
    ["another hop", "views/now/hopMs", 5 * minute, ["breaking view now newVersion board"]],
    ["another aggregation", "views/now/aggregations/0/op", "sum", ["breaking view now newVersion board"]],
    ["another window", "views/now/windows/0/ms", 30 * minute, ["breaking view now newVersion board"]],
    ["more disorder", "sources/departures/disorderMs", 5, ["compatible source departures -"]],
    ["a widened event field", "sources/departures/fields/1/type", "int64", ["compatible source departures -"]],
    [
      "a retyped event field",
      "sources/departures/fields/1/type",
      "string",
      ["breaking source departures newVersion board"],
    ],
    ["an event field made nullable", "sources/departures/fields/1/nullable", true, ["compatible source departures -"]],
    ["an event field gone", "sources/departures/fields/1", undefined, ["breaking source departures newVersion board"]],
    [
      "a nullable event field",
      "sources/departures/fields/3",
      { name: "a", type: "json", nullable: true },
      ["compatible source departures -"],
    ],
    [
      "a required event field",
      "sources/departures/fields/3",
      { name: "a", type: "json", nullable: false },
      ["breaking source departures newVersion board"],
    ],
    ["another event time", "sources/departures/eventTime", "delay", ["breaking source departures newVersion board"]],
    ["other shards", "sources/departures/shards", 2, ["breaking source departures newName board"]],
    ["other files", "sources/table/files", ["b.csv"], ["compatible source table -"]],
    [
      "a source of another kind",
      "sources/table",
      { ...departures, name: "table" },
      ["breaking source table newName tower"],
    ],
    ["a source gone", "sources/table", undefined, ["removal source table -"]],
    ["an entity gone", "entities/airport", undefined, ["removal entity airport -"]],
    [
      "a new feature service",
      "featureServices/x",
      { ...current.featureServices.tower, name: "x" },
      ["addition featureService x -"],
    ],
    ["a described feature service", "featureServices/tower/description", "x", ["compatible featureService tower -"]],
    [
      "a new column",
      "featureServices/tower/columns/1",
      column("congestion", "level"),
      ["compatible featureService tower -"],
    ],
    [
      "a column gone",
      "featureServices/board/columns/0",
      undefined,
      ["breaking featureService board allowDestroy board"],
    ],
    [
      "a column of another feature",
      "featureServices/tower/columns/0/feature",
      "x",
      ["breaking featureService tower allowDestroy tower"],
    ],
    [
      "a layer over a column",
      "featureServices/tower/columns/0/over",
      [{ view: "congestion", feature: "level" }],
      ["compatible featureService tower -"],
    ],
    [
      "another request key",
      "featureServices/tower/requestKeys/0/name",
      "iata",
      ["breaking featureService tower allowDestroy tower"],
    ],
    ["a feature service gone", "featureServices/tower", undefined, ["removal featureService tower allowDestroy tower"]],
    ["a field that nobody judged", "views/congestion/unheardOf", 1, ["breaking view congestion newVersion board"]],
  ])("%s", (_what, path, value, expected) => {
    expect(plan(edit(path, value))).toEqual(expected);
  });

  it("a view gone takes its features along, and one consent is enough", () => {
    const next = edit("views/congestion", undefined);
    expect(plan(next)).toEqual([
      "removal view congestion allowDestroy board",
      ...["score", "level", "mood"].map((name) => `removal feature congestion.${name} -`),
    ]);
    expect(problemsOf(planCatalog(current, next), { allowDestroy: true })).toEqual([]);
    expect(problemsOf(planCatalog(current, next), { allowDestroy: false })).toEqual([
      'view "congestion" would be removed: put it back, or apply with --allow-destroy; it breaks feature service board',
    ]);
  });

  it("a view that only lies over another one has readers too", () => {
    const over = [{ view: "congestion", feature: "level" }];
    const layered = edit("featureServices/tower/columns/0/over", over);
    const next = edit("views/congestion/features/1", undefined, layered);
    expect(planCatalog(layered, next).changes.map(brief)).toEqual([
      "removal feature congestion.level allowDestroy tower",
    ]);
  });

  it("another lane needs a new version, and has all of it with one", () => {
    const moved = { ...batch, name: "congestion", version: 2, features: direct.features };
    expect(plan(edit("views/congestion", { ...moved, version: 1 }))).toEqual([
      "breaking view congestion newVersion board",
    ]);
    expect(plan(edit("views/congestion", moved))).toEqual(["breaking view congestion - board"]);
  });

  it("a new view version is the consent to everything in that view and to its columns", () => {
    const features = list({ name: "score", type: "json" as const }, { name: "mood", type: "string" as const });
    const raised = edit("views/congestion", { ...direct, version: 2, features });
    const next = edit("featureServices/board/columns/1", undefined, raised);
    expect(problemsOf(planCatalog(current, next), { allowDestroy: false })).toEqual([]);
    expect(plan(next)).toContain("removal feature congestion.level -");
    expect(plan(next)).toContain("breaking featureService board - board");
    expect(
      problemsOf(planCatalog(current, edit("featureServices/board/columns/2", undefined, raised)), {
        allowDestroy: false,
      }),
    ).toHaveLength(1);
  });

  it("everything is an addition where nothing was applied, each feature too", () => {
    const { changes } = planCatalog(undefined, current);
    expect(new Set(changes.map(({ kind }) => kind))).toEqual(new Set(["addition"]));
    expect(changes).toHaveLength(1 + 2 + 3 + 5 + 2);
    expect(planCatalog(current, structuredClone(current)).changes).toEqual([]);
  });

  it("says field, before and after, and lists every problem at once", () => {
    const next = edit("views/now/hopMs", 2, edit("entities/airport/keys/0/type", "uuid"));
    const planned = planCatalog(current, next);
    expect(planned.changes[0]?.differences).toEqual([
      { field: "keys.code", before: { type: "string" }, after: { type: "uuid" }, breaking: true },
    ]);
    expect(problemsOf(planned, { allowDestroy: true })).toEqual([
      expect.stringMatching(/entity "airport" changes its keys.code: .*new entity/),
      expect.stringMatching(/view "now" changes its hopMs: raise the version of view "now" above 1.*board/),
    ]);
  });

  it("overlooks nothing: whatever leaf of a catalog differs, the plan has a change", () => {
    const paths = leavesOf(current).filter((path) => path !== "format" && !path.endsWith("name"));
    expect(paths.length).toBeGreaterThan(60);
    for (const path of paths) {
      const changed = edit(path, "something else");
      expect(canonicalJson(changed)).not.toBe(canonicalJson(current));
      expect(planCatalog(current, changed).changes.length, path).toBeGreaterThan(0);
    }
  });
});

function leavesOf(value: unknown, path = ""): string[] {
  if (typeof value !== "object" || value === null) return [path];
  return Object.entries(value).flatMap(([name, item]) => leavesOf(item, path === "" ? name : `${path}/${name}`));
}

describe("the lane check", () => {
  it("gives a batch view its interval and a run of a minute", () => {
    expect(checkLane({ ...batch, everyMs: 9 * minute })).toMatchObject({ meets: true, neededMs: 10 * minute });
    expect(checkLane({ ...batch, everyMs: 9 * minute + 1 })).toMatchObject({
      meets: false,
      why: "interval 9m 1ms + assumed run 1m = 10m 1ms, more than freshness 10m",
      fix: 'declare freshness: "600001ms" or more, or every: "9m" or less',
    });
    expect(checkLane({ ...batch, freshnessMs: minute }).fix).toContain("stream or direct");
  });

  it("gives a stream view coalescing, a mark and a look at it", () => {
    expect(checkLane({ ...stream, freshnessMs: 1_400 })).toMatchObject({ meets: true, neededMs: 1_400 });
    expect(checkLane({ ...stream, freshnessMs: 1_399 })).toMatchObject({
      meets: false,
      why: "coalescing 200ms + mark 1s + confirmation seen 200ms = 1s 400ms, more than freshness 1s 399ms",
      fix: 'declare freshness: "1400ms" or more',
    });
  });

  it("leaves a direct view to its producers", () => {
    expect(checkLane({ ...direct, freshnessMs: 1 })).toMatchObject({ meets: true, neededMs: null });
  });

  it("reports every view that cannot meet its freshness, with numbers and fix", () => {
    const next = edit("views/now/freshnessMs", 5, edit("views/profile/freshnessMs", minute));
    expect(problemsOf(planCatalog(undefined, next), { allowDestroy: true })).toEqual([
      expect.stringMatching(/view "profile" .*interval 5m .* freshness 1m; declare freshness: "6m"/),
      expect.stringMatching(/view "now" .*1s 400ms, more than freshness 5ms; declare/),
    ]);
  });
});

describe("the plan on a terminal", () => {
  it("is aligned and marked, with what differs and what is needed", () => {
    const next = edit(`${congestion}/0/type`, "string", edit("views/congestion/freshnessMs", 5 * minute));
    const text = showPlan(planCatalog(current, next), picocolors.createColors(false));
    expect(text.split("\n").slice(0, 6)).toEqual([
      "~  view     congestion",
      "    freshnessMs: 10m → 5m",
      "!  feature  congestion.score",
      "    type: float32 → string",
      "    feature services that notice: board",
      '    needed: raise the version of view "congestion" above 1',
    ]);
    expect(text).toContain("✓  now         stream  coalescing 200ms");
    expect(text).toContain("0 additions, 1 compatible, 1 breaking, 0 removals");
    expect(text).not.toContain("\u001b");
  });

  it("counts the features of a new view instead of listing them", () => {
    const text = showPlan(planCatalog(undefined, current), picocolors.createColors(false));
    expect(text).toMatch(/^\+ {2}view +congestion +3 features$/m);
    expect(text).not.toContain("congestion.score");
  });
});
