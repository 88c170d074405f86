import { describe, expect, it } from "vitest";
import { aggregateView } from "./aggregate-view.ts";
import { count, max, percentile } from "./aggregation.ts";
import { compileDefinitions } from "./compile.ts";
import { entity } from "./entity.ts";
import { bool, float64, int64, string, timestamp } from "./feature-type.ts";
import { eventSource, tableSource } from "./source.ts";
import { streamView } from "./view.ts";
import type { AggregateOptions } from "./view-definition.ts";

const airport = entity("airport", { key: { code: string() } });
const departures = eventSource("departures", {
  fields: { origin: string(), delay: float64({ nullable: true }), late: bool(), at: timestamp() },
  eventTime: "at",
  disorder: "4h",
});
const past = tableSource("past_departures", {
  format: "parquet",
  files: ["raw/departures/*.parquet"],
  fields: { origin: string(), delay: int64(), late: bool(), at: timestamp() },
});
const options = {
  entity: airport,
  from: departures,
  keys: { code: "origin" },
  where: "delay > -60 && !late",
  windows: ["15m", "1h"],
  hop: "1m",
  freshness: "10m",
  features: { departures: count(), delayMax: max("delay"), delayP90: percentile("delay", 0.9) },
  description: "departures",
} as const;
const compiled = (change: Partial<AggregateOptions> = {}) =>
  compileDefinitions([aggregateView("now", { ...options, ...change } as typeof options)]);

describe("a view whose lane is open", () => {
  it("is the same stream view as one that names its lane, with the rule that chose it", () => {
    const { now } = compileDefinitions([streamView("now", options)]).views;
    expect(compiled().views.now).toEqual({ ...now, laneRule: "only-stream-sees" });
    expect(compiled({ history: past }).views.now).toEqual({ ...now, laneRule: "cheaper-in-stream" });
  });

  it("becomes a batch view over its history, with the same features", () => {
    const body = compiled({ history: past, freshness: "6h", ttl: "2d", version: 3 });
    expect(Object.keys(body.sources).sort()).toEqual(["departures", "past_departures"]);
    const { now } = compileDefinitions([streamView("now", options)]).views;
    expect(body.views.now).toEqual({
      lane: "batch",
      name: "now",
      version: 3,
      entity: "airport",
      features: now?.features,
      description: "departures",
      freshnessMs: 6 * 3_600_000,
      ttlMs: 2 * 86_400_000,
      sql: expect.stringContaining('trib_where("delay", "late")'),
      sources: ["past_departures"],
      everyMs: 3 * 3_600_000,
      deleteShareMax: 1,
      aggregate: {
        source: "departures",
        windows: [
          { name: "15m", ms: 900_000 },
          { name: "1h", ms: 3_600_000 },
        ],
        hopMs: 60_000,
        where: {
          expression: "delay > -60 && !late",
          inputs: [
            { name: "delay", type: "float64" },
            { name: "late", type: "bool" },
          ],
        },
      },
      laneRule: "cheaper-in-batch",
    });
  });

  it.each<[AggregateOptions["windows"], string]>([
    [["15m", "1h", "6h"], "1m"],
    [["1h"], "5m"],
    [["1d", "7d"], "1h"],
    [["28d"], "1d"],
    [["1m"], "5s"],
    [["90s", "1h"], "5s"],
  ])("takes for windows %j hops of %s", (windows, hop) => {
    const { hop: _, ...rest } = options;
    const chosen = compileDefinitions([aggregateView("now", { ...rest, windows })]).views.now;
    const said = compileDefinitions([aggregateView("now", { ...rest, windows, hop: hop as "1m" })]).views.now;
    expect(chosen).toEqual(said);
  });

  it.each<[string, Partial<AggregateOptions>, string]>([
    [
      "no lane can keep it",
      { freshness: "1s", history: past },
      "neither lane can: stream: coalescing 200ms + mark 1s + confirmation seen 200ms = 1s 400ms, more than freshness 1s; " +
        "batch: least interval 1m + twice the assumed run 1m = 3m, more than freshness 1s; " +
        "declare another freshness or hop, shorter windows, or a history",
    ],
    [
      "its history lacks a field",
      {
        history: tableSource("past", { format: "csv", files: ["a.csv"], fields: { origin: string(), late: string() } }),
      },
      'uses field "at", which its history "past" does not have; declare it there under that name',
    ],
    [
      "its history has another type",
      {
        history: tableSource("past", { format: "csv", files: ["a.csv"], fields: { origin: string(), late: string() } }),
      },
      'uses field "late", which is bool in source "departures" and string in its history "past"; declare the same type',
    ],
    [
      "its windows have no common hop",
      { windows: ["1500ms", "7s"], hop: undefined as never },
      "has windows that no usual hop divides",
    ],
    ["a window is no multiple of the hop", { hop: "7m" }, "window 15m is not a multiple of its hop 7m"],
    ["its filter is no CEL", { where: "delay >" }, "where: CEL"],
  ])("is refused when %s", (_what, change, said) => {
    expect(() => compiled(change)).toThrow(expect.objectContaining({ message: expect.stringContaining(said) }));
  });
});
