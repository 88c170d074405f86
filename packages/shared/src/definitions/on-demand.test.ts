import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { catalogBodySchema } from "../contracts/catalog.ts";
import { compileDefinitions } from "./compile.ts";
import { dependencyOrder } from "./dependency-order.ts";
import { entity } from "./entity.ts";
import { type AnyUse, type FeatureServiceDefinition, featureService } from "./feature-service.ts";
import { float64, int32, int64, json, list, string, timestamp, vector } from "./feature-type.ts";
import { type AnyOnDemandUse, onDemandFeature } from "./on-demand.ts";
import { directView } from "./view.ts";

const route = entity("route", { key: { origin: string(), destination: string() } });
const profile = directView("profile", {
  entity: route,
  producers: ["m"],
  freshness: "1m",
  features: { delay: float64(), seats: int64(), spare: float64(), tags: list(string()) },
});
const risk = onDemandFeature("risk", {
  inputs: { delay: float64(), partySize: int64() },
  type: float64(),
  cel: "delay == null ? 0.0 : delay * 0.01 * double(partySize)",
  description: "0 is none",
});
const twice = onDemandFeature("twice", { inputs: { x: float64() }, type: float64(), cel: "x * 2" });

function serviceOf(...uses: (AnyUse | AnyOnDemandUse)[]) {
  const service: FeatureServiceDefinition = { kind: "featureService", name: "s", uses };
  return compileDefinitions([service]).featureServices.s;
}

describe("an on-demand feature", () => {
  const body = compileDefinitions([
    featureService(
      "boarding",
      [
        profile.on({ origin: "from", destination: "to" }).prefix("p_"),
        twice.from({ x: "risk" }),
        risk.from({ delay: "p_delay" }),
        risk.as("other_risk").from({ delay: "twice", partySize: "p_seats" }),
      ],
      { owner: "gates", description: "at the gate", tags: ["ranker"] },
    ),
  ]);

  it("stands in the catalog once, with its typed inputs and its expression", () => {
    expect(body.onDemandFeatures).toEqual({
      risk: {
        name: "risk",
        type: "float64",
        inputs: [
          { name: "delay", type: "float64" },
          { name: "partySize", type: "int64" },
        ],
        expression: "delay == null ? 0.0 : delay * 0.01 * double(partySize)",
        description: "0 is none",
      },
      twice: { name: "twice", type: "float64", inputs: [{ name: "x", type: "float64" }], expression: "x * 2" },
    });
    expect(catalogBodySchema.parse(JSON.parse(JSON.stringify(body)))).toEqual(body);
  });

  it("is a column behind those that it needs, its other inputs being request fields", () => {
    const service = body.featureServices.boarding;
    expect(service).toMatchObject({ owner: "gates", description: "at the gate", tags: ["ranker"] });
    expect(service?.columns.map(({ name }) => name)).toEqual(["p_delay", "p_seats", "p_spare", "p_tags"]);
    expect(service?.onDemand).toEqual([
      {
        name: "risk",
        feature: "risk",
        inputs: { delay: { from: "column", name: "p_delay" }, partySize: { from: "request", name: "partySize" } },
      },
      { name: "twice", feature: "twice", inputs: { x: { from: "column", name: "risk" } } },
      {
        name: "other_risk",
        feature: "risk",
        inputs: { delay: { from: "column", name: "twice" }, partySize: { from: "column", name: "p_seats" } },
      },
    ]);
    expect(service?.requestFields).toEqual([{ name: "partySize", type: "int64", nullable: false }]);
  });

  it("leaves no trace in a catalog without any", () => {
    const plain = JSON.stringify(compileDefinitions([featureService("s", [profile])]));
    for (const member of ["onDemand", "requestFields"]) expect(plain).not.toContain(member);
  });

  it("is in the catalog also when no feature service uses it, for the batch lane's SQL", () => {
    expect(Object.keys(compileDefinitions([twice]).onDemandFeatures ?? {})).toEqual(["twice"]);
  });

  it("asks for a field that may be absent only where all its uses allow that", () => {
    const of = (name: string, nullable: boolean) =>
      onDemandFeature(name, { inputs: { at: timestamp({ nullable }) }, type: timestamp(), cel: "at" });
    const fieldsOf = (...uses: AnyOnDemandUse[]) => serviceOf(profile, ...uses)?.requestFields;
    expect(fieldsOf(of("a", true))).toEqual([{ name: "at", type: "timestamp", nullable: true }]);
    expect(fieldsOf(of("a", true), of("b", false))).toEqual([{ name: "at", type: "timestamp", nullable: false }]);
    expect(fieldsOf(of("b", false), of("a", true))).toEqual([{ name: "at", type: "timestamp", nullable: false }]);
  });

  const inputs = { x: float64() };
  const type = float64();
  it.each<[string, () => unknown, string]>([
    [
      "that does not parse",
      () => compileDefinitions([onDemandFeature("f", { inputs, type, cel: "x >" })]),
      'onDemandFeature "f" CEL "x >"',
    ],
    [
      "of an unknown input",
      () => compileDefinitions([onDemandFeature("f", { inputs, type, cel: "y * 2.0" })]),
      "Unknown variable: y; there is x",
    ],
    [
      "of another type than declared",
      () => compileDefinitions([onDemandFeature("f", { inputs, type: string(), cel: "x" })]),
      'onDemandFeature "f" CEL "x": is double, which is no string',
    ],
    [
      "with a vector",
      () => compileDefinitions([onDemandFeature("f", { inputs: { x: vector(2) }, type, cel: "1.0" })]),
      'input "x" is a vector, which CEL does not have; use list(float64())',
    ],
    [
      "with checks",
      () =>
        compileDefinitions([
          onDemandFeature("f", { inputs: { x: float64({ min: 1 }) }, type: float64({ default: 0 }), cel: "x" }),
        ]),
      "its type has default, which is not looked at",
    ],
    [
      "without inputs",
      () => compileDefinitions([onDemandFeature("f", { inputs: {}, type, cel: "1.0" })]),
      "has no inputs",
    ],
    [
      "defined twice",
      () => compileDefinitions([twice, onDemandFeature("twice", { inputs, type, cel: "x" })]),
      'onDemandFeature "twice" is defined twice',
    ],
    [
      "of an unknown column",
      () => serviceOf(profile, twice.from({ x: "nope" })),
      'has no feature "nope" for input "x" of "twice"',
    ],
    [
      "of an input it does not have",
      () => serviceOf(profile, twice.from({ y: "delay" } as never)),
      'maps input "y" of "twice", which has x; correct the name in .from',
    ],
    [
      "of a column of another type",
      () => serviceOf(profile, twice.from({ x: "seats" })),
      'has "seats" as int64, but input "x" of "twice" is float64; declare it as int64',
    ],
    [
      "whose request field is a column",
      () => serviceOf(profile, risk),
      'asks its reads for input "delay" of "risk", but has a feature of that name; write .from({ delay: "delay" })',
    ],
    [
      "whose request field is a request key",
      () => serviceOf(profile.on({ origin: "x", destination: "to" }), twice),
      'asks its reads for input "x" of "twice", but "x" is a request key already',
    ],
    [
      "whose request field is also another one's, of another type",
      () => serviceOf(profile, twice, onDemandFeature("g", { inputs: { x: int32() }, type, cel: "x" })),
      'asks its reads for "x" both as float64 and as int32; rename one of the inputs',
    ],
    [
      "whose request field has no form in a read",
      () => serviceOf(profile, onDemandFeature("g", { inputs: { x: json() }, type, cel: "x.a" })),
      'asks its reads for input "x" of "g", which is json',
    ],
    [
      "called like another",
      () => serviceOf(profile, twice.from({ x: "delay" }), twice.from({ x: "spare" })),
      'has two features named "twice"; use .prefix or .rename, of an on-demand feature .as',
    ],
    ["called like a column", () => serviceOf(profile, twice.as("delay")), 'has two features named "delay"'],
    [
      "in a circle",
      () =>
        serviceOf(
          profile,
          twice.as("a").from({ x: "b" }),
          twice.as("b").from({ x: "c" }),
          twice.as("c").from({ x: "a" }),
        ),
      "has on-demand features in a circle: a → b → c → a; take one of them out of a .from",
    ],
    ["of itself", () => serviceOf(profile, twice.from({ x: "twice" })), "in a circle: twice → twice"],
    ["alone", () => serviceOf(twice), "has no feature that is stored; list a view"],
    ["with a bad name", () => serviceOf(profile, twice.as("No such")), "must be letters, digits and _"],
  ])("%s is a problem that is named", (_what, compile, problem) => {
    expect(compile).toThrow(
      expect.objectContaining({ code: "INVALID_DEFINITION", message: expect.stringContaining(problem) }),
    );
  });
});

describe("the order of what needs other things", () => {
  it("puts each behind what it needs, or names a circle", () => {
    const names = ["a", "b", "c", "d", "e"];
    const edges = fc.uniqueArray(fc.tuple(fc.constantFrom(...names), fc.constantFrom(...names, "x")), {
      maxLength: 8,
      selector: ([from, to]) => from + to,
    });
    fc.assert(
      fc.property(edges, (pairs) => {
        const needs = new Map(names.map((name) => [name, pairs.filter(([a]) => a === name).map(([, b]) => b)]));
        const found = dependencyOrder(needs);
        if ("order" in found) {
          expect([...found.order].sort()).toEqual(names);
          for (const [a, b] of pairs)
            if (b !== "x") expect(found.order.indexOf(b)).toBeLessThan(found.order.indexOf(a));
          return;
        }
        const { circle } = found;
        expect(circle[0]).toBe(circle.at(-1));
        expect(circle.length).toBeGreaterThan(1);
        for (const [i, node] of circle.slice(1).entries()) expect(needs.get(circle[i] ?? "")).toContain(node);
      }),
    );
  });
});
