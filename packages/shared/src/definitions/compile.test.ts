import { describe, expect, it } from "vitest";
import { count, mean } from "./aggregation.ts";
import { canonicalJson, fingerprintOf } from "./canonical-json.ts";
import { compileDefinitions } from "./compile.ts";
import { entity } from "./entity.ts";
import { featureService } from "./feature-service.ts";
import { float64, int64, string, timestamp } from "./feature-type.ts";
import { eventSource, tableSource } from "./source.ts";
import { sqlFile } from "./sql-file.ts";
import { batchView, directView, streamView } from "./view.ts";

const airport = entity("airport", { key: { code: string() } });
const departures = eventSource("departures", {
  fields: { origin: string(), delay: float64(), at: timestamp() },
  eventTime: "at",
  disorder: "4h",
});
const now = streamView("airport_now", {
  entity: airport,
  from: departures,
  keys: { code: "origin" },
  where: "delay > -60",
  windows: ["15m", "1h"],
  hop: "1m",
  freshness: "10m",
  features: { departures: count(), delayMean: mean("delay") },
});
const congestion = directView("congestion", {
  entity: airport,
  producers: ["m"],
  freshness: "1m",
  features: { score: float64({ min: 0, max: 1 }) },
});
const boarding = featureService("boarding", [
  now.on({ code: "origin" }),
  congestion.on({ code: "destination" }).prefix("destination_").pick("destination_score"),
]);

describe("compileDefinitions", () => {
  const body = compileDefinitions([boarding, "not a definition", 5]);

  it("takes along what a feature service stands on", () => {
    expect(Object.keys(body.entities)).toEqual(["airport"]);
    expect(Object.keys(body.sources)).toEqual(["departures"]);
    expect(Object.keys(body.views)).toEqual(["airport_now", "congestion"]);
  });

  it("says that a view has a record of its own, and nothing where it has none", () => {
    const common = { entity: airport, producers: ["m"], freshness: "1m", features: { score: float64() } } as const;
    const { views } = compileDefinitions([
      directView("own", { ...common, ownRecord: true }),
      directView("shared", { ...common, ownRecord: false }),
    ]);
    expect(views.own).toHaveProperty("ownRecord", true);
    expect(views.shared).not.toHaveProperty("ownRecord");
    const wrong = directView("wrong", { ...common, ownRecord: "yes" as never });
    expect(() => compileDefinitions([wrong])).toThrow("ownRecord must be true or false");
  });

  it("names a windowed feature by aggregation and window", () => {
    expect(body.views.airport_now?.features).toEqual([
      { name: "departures_15m", type: "int64" },
      { name: "departures_1h", type: "int64" },
      { name: "delayMean_15m", type: "float64" },
      { name: "delayMean_1h", type: "float64" },
    ]);
  });

  it("maps join keys to request keys, picks and prefixes", () => {
    const service = body.featureServices.boarding;
    expect(service?.requestKeys).toEqual([
      { name: "origin", type: "string" },
      { name: "destination", type: "string" },
    ]);
    expect(service?.columns.at(-1)).toEqual({
      name: "destination_score",
      view: "congestion",
      feature: "score",
      keys: { code: "destination" },
    });
  });

  it("gives the same fingerprint for the same definitions in another order", () => {
    expect(fingerprintOf(compileDefinitions([congestion, now, boarding]))).toBe(fingerprintOf(body));
    expect(canonicalJson({ b: 1, a: undefined, c: [2, { z: 1, y: 2 }] })).toBe('{"b":1,"c":[2,{"y":2,"z":1}]}');
  });

  it("keeps the fingerprint of what says nothing new, from release to release", () => {
    expect(fingerprintOf(body)).toBe("78eb6d348d59fe1f6e9140d18c8e0fb5b21b047403467af53a7487c709637eaf");
  });

  it("asks for SQL files only where the SQL is wanted", () => {
    const flights = tableSource("flights", { format: "csv", files: ["x"], fields: { code: string() } });
    const sql = sqlFile(new URL("./nowhere.sql", import.meta.url));
    const view = batchView("v", {
      entity: airport,
      from: [flights],
      sql,
      every: "1h",
      freshness: "3h",
      features: { x: int64() },
    });
    expect(() => compileDefinitions([view])).toThrow(
      /view "v" its SQL file .*nowhere\.sql is not there; check the name/,
    );
    expect(compileDefinitions([view], { needsFiles: false }).views.v?.features).toHaveLength(1);
    const text = batchView("v", { ...view.options, sql: sqlFile("x.sql" as never) } as never);
    expect(() => compileDefinitions([text])).toThrow("must be named by a file URL");
  });

  it("lists every problem at once, each with its definition", () => {
    const wrong = [
      streamView("a", {
        entity: airport,
        from: departures,
        // @ts-expect-error the field does not exist
        keys: { code: "nope" },
        windows: ["15m"],
        hop: "4m",
        freshness: "1m",
        features: { m: mean("origin") },
      }),
      streamView("b", {
        entity: airport,
        from: departures,
        keys: { code: "origin" },
        where: "delay > 'x'",
        windows: ["15m"],
        hop: "1m",
        freshness: "1m",
        features: { n: count() },
      }),
      streamView("c", {
        entity: airport,
        from: departures,
        keys: { code: "origin" },
        where: "nope > 1.0",
        windows: ["15m"],
        hop: "1m",
        freshness: "1m",
        features: { n: count() },
      }),
      // @ts-expect-error not a duration
      directView("d", { entity: airport, producers: [], freshness: "soon", features: { x: int64() } }),
      directView("congestion", { entity: airport, producers: [], freshness: "1m", features: { x: int64() } }),
      congestion,
    ];
    const problems = () => compileDefinitions(wrong);
    for (const named of [
      'view "a" window 15m is not a multiple of its hop 4m',
      'view "a" key "code" names field "nope"',
      'view "a" feature "m" aggregates "origin", which is string',
      'view "b" where: CEL',
      'view "c" where: CEL',
      'view "d" freshness "soon" is not a duration',
      'view "congestion" is defined twice',
    ]) {
      expect(problems).toThrow(
        expect.objectContaining({ code: "INVALID_DEFINITION", message: expect.stringContaining(named) }),
      );
    }
  });
});
