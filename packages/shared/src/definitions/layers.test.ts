import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { catalogBodySchema, type FeatureService } from "../contracts/catalog.ts";
import { compileDefinitions } from "./compile.ts";
import { entity } from "./entity.ts";
import { type AnyUse, type FeatureServiceDefinition, featureService } from "./feature-service.ts";
import { float64, int64, string, vector } from "./feature-type.ts";
import { tableSource } from "./source.ts";
import { batchView, directView } from "./view.ts";

const route = entity("route", { key: { origin: string(), destination: string() } });
const airport = entity("airport", { key: { code: string() } });
const flights = tableSource("flights", { format: "csv", files: ["raw/*.csv"], fields: { origin: string() } });
const routeProfile = batchView("route_profile", {
  entity: route,
  from: [flights],
  sql: "select 1",
  every: "15m",
  freshness: "30m",
  features: { flights28d: int64({ default: 0 }), delayP90: float64(), note: string(), shape: vector(2) },
});
const direct = { entity: route, producers: ["ops"], freshness: "1m" } as const;
const opsDesk = directView("ops_desk", {
  ...direct,
  features: { delayP90: float64(), note: string(), other: int64() },
});
const chief = directView("chief", { ...direct, features: { delayP90: float64() } });

function columnsOf(...uses: AnyUse[]): FeatureService["columns"] {
  const service: FeatureServiceDefinition = { kind: "featureService", name: "s", uses };
  return compileDefinitions([service]).featureServices.s?.columns ?? [];
}

describe("layers", () => {
  it("stand at the features that both views have, the view given last uppermost", () => {
    const columns = columnsOf(routeProfile.overriddenBy(opsDesk).overriddenBy(chief));
    expect(columns.map(({ name, over }) => [name, over])).toEqual([
      ["flights28d", undefined],
      [
        "delayP90",
        [
          { view: "chief", feature: "delayP90" },
          { view: "ops_desk", feature: "delayP90" },
        ],
      ],
      ["note", [{ view: "ops_desk", feature: "note" }]],
      ["shape", undefined],
    ]);
  });

  it("bring their views into the catalog, which is still valid, as one without any is", () => {
    const service = featureService("s", [routeProfile.overriddenBy(opsDesk)]);
    const body = compileDefinitions([service]);
    expect(Object.keys(body.views)).toEqual(["route_profile", "ops_desk"]);
    expect(catalogBodySchema.parse(JSON.parse(JSON.stringify(body)))).toEqual(body);
    const plain = compileDefinitions([featureService("s", [routeProfile])]);
    expect(JSON.stringify(plain)).not.toContain('"over"');
  });

  it("go with .on, .pick, .prefix and .rename in any order", () => {
    const keys = { origin: "from", destination: "to" } as const;
    const steps: Record<string, (use: AnyUse, named: (name: string) => string) => AnyUse> = {
      on: (use) => use.on(keys),
      pick: (use, named) => use.pick(named("delayP90"), named("flights28d")),
      rename: (use, named) => use.rename({ [named("delayP90")]: named("typicalDelay") } as never),
      overriddenBy: (use) => use.overriddenBy(opsDesk),
    };
    const orders = fc.shuffledSubarray(["on", "pick", "prefix", "rename", "overriddenBy"], { minLength: 5 });
    fc.assert(
      fc.property(orders, (order) => {
        let use: AnyUse = routeProfile;
        let prefix = "";
        let renamed = false;
        for (const step of order) {
          if (step === "prefix") {
            prefix = "r_";
            use = use.prefix(prefix);
          }
          const named = (name: string) => prefix + (renamed && name === "delayP90" ? "typicalDelay" : name);
          use = steps[step]?.(use, named) ?? use;
          renamed ||= step === "rename";
        }
        expect(columnsOf(use)).toEqual([
          {
            name: "r_typicalDelay",
            view: "route_profile",
            feature: "delayP90",
            keys,
            over: [{ view: "ops_desk", feature: "delayP90" }],
          },
          { name: "r_flights28d", view: "route_profile", feature: "flights28d", keys },
        ]);
      }),
    );
  });

  it.each<[string, AnyUse, string]>([
    [
      "no feature in common",
      // @ts-expect-error nothing to stand for
      routeProfile.overriddenBy(directView("a", { ...direct, features: { x: int64() } })),
      'puts "a" over "route_profile", but it has none of the features used',
    ],
    [
      "none of the features that are picked",
      routeProfile.pick("flights28d").overriddenBy(opsDesk),
      'puts "ops_desk" over "route_profile", but it has none of the features used',
    ],
    [
      "another entity",
      // @ts-expect-error keyed by something else
      routeProfile.overriddenBy(directView("b", { ...direct, entity: airport, features: { note: string() } })),
      'their entities differ ("airport" and "route")',
    ],
    [
      "another type",
      // @ts-expect-error a number is not a string
      routeProfile.overriddenBy(directView("c", { ...direct, features: { note: float64() } })),
      'but "note" is float64 there and string here',
    ],
    [
      "another dimension",
      routeProfile.overriddenBy(directView("d", { ...direct, features: { shape: vector(3) } })),
      'but "shape" is vector<3> there and vector<2> here',
    ],
    [
      "a view above that is not direct",
      // @ts-expect-error only a direct view
      opsDesk.overriddenBy(routeProfile),
      'puts "route_profile" over "ops_desk", but only a direct view can be a layer and it is a batch view',
    ],
    [
      "a view twice",
      routeProfile.overriddenBy(opsDesk).overriddenBy(opsDesk),
      'has view "ops_desk" twice among the layers of "route_profile"',
    ],
    ["a view over itself", opsDesk.overriddenBy(opsDesk), 'has view "ops_desk" twice'],
    ["too many", tall(5), 'puts 5 views over "route_profile"; at most 4'],
  ])("with %s are a problem that is named", (_what, use, problem) => {
    expect(() => columnsOf(use)).toThrow(
      expect.objectContaining({ code: "INVALID_DEFINITION", message: expect.stringContaining(problem) }),
    );
  });

  it("may be four", () => {
    expect(columnsOf(tall(4)).find(({ name }) => name === "note")?.over).toHaveLength(4);
  });
});

function tall(layers: number): AnyUse {
  const views = Array.from({ length: layers }, (_, i) =>
    directView(`l${i}`, { ...direct, features: { note: string() } }),
  );
  return views.reduce<AnyUse>((use, view) => use.overriddenBy(view), routeProfile);
}

describe("names", () => {
  it("may be swapped", () => {
    const columns = columnsOf(opsDesk.rename({ note: "other", other: "note" }));
    expect(columns.map(({ name, feature }) => [name, feature])).toEqual([
      ["delayP90", "delayP90"],
      ["other", "note"],
      ["note", "other"],
    ]);
  });

  it("are found as they are after the steps before", () => {
    const columns = columnsOf(opsDesk.prefix("o_").rename({ o_note: "remark" }).pick("remark").prefix("the_"));
    expect(columns).toMatchObject([{ name: "the_remark", feature: "note" }]);
  });

  it.each<[string, AnyUse, string]>([
    // @ts-expect-error no such feature
    ["unknown to rename", opsDesk.rename({ nope: "x" }), 'renames "nope", which view "ops_desk" does not have'],
    // @ts-expect-error renamed away before
    ["unknown to pick", opsDesk.rename({ note: "x" }).pick("note"), 'picks "note", which view "ops_desk" does not'],
    // @ts-expect-error two of one name
    ["colliding", opsDesk.rename({ note: "other" }), 'two features named "other"; use .prefix or .rename'],
    ["malformed", opsDesk.rename({ note: "No such" }), "must be letters, digits and _"],
  ])("%s are a problem that is named", (_what, use, problem) => {
    expect(() => columnsOf(use)).toThrow(
      expect.objectContaining({ code: "INVALID_DEFINITION", message: expect.stringContaining(problem) }),
    );
  });
});
