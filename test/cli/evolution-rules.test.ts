import type { Change } from "@tributary/cli/catalog/change";
import type { Rules } from "@tributary/cli/catalog/difference";
import {
  entityRules,
  eventSourceRules,
  featureRules,
  featureServiceRules,
  onDemandFeatureRules,
  tableSourceRules,
  viewRules,
} from "@tributary/cli/catalog/evolution-rules";
import { planCatalog } from "@tributary/cli/catalog/plan";
import {
  batchViewSchema,
  type CatalogBody,
  catalogBodySchema,
  directViewSchema,
  entitySchema,
  type FeatureService,
  featureServiceSchema,
  onDemandFeatureSchema,
  requestFieldSchema,
  streamViewSchema,
} from "@tributary/shared/contracts/catalog";
import { featureSchema } from "@tributary/shared/contracts/feature";
import { eventSourceSchema, fileTableSchema, postgresTableSchema } from "@tributary/shared/contracts/source";
import { describe, expect, it } from "vitest";
import type { z } from "zod";
import { batch, direct, firstBody, stream, withViews } from "./catalog-bodies.ts";

/** Members that are compared elsewhere, each by rules of its own. */
const elsewhere = { view: ["version", "features"], rest: [] as string[] };

describe("every member of the catalog's schema", () => {
  it.each<[string, z.ZodObject, Rules, string[]]>([
    ["a feature", featureSchema, featureRules, elsewhere.rest],
    ["a batch view", batchViewSchema, viewRules, elsewhere.view],
    ["a stream view", streamViewSchema, viewRules, elsewhere.view],
    ["a direct view", directViewSchema, viewRules, elsewhere.view],
    ["an entity", entitySchema, entityRules, elsewhere.rest],
    ["an event source", eventSourceSchema, eventSourceRules, elsewhere.rest],
    ["a table of files", fileTableSchema, tableSourceRules, elsewhere.rest],
    ["a table of PostgreSQL", postgresTableSchema, tableSourceRules, elsewhere.rest],
    ["an on-demand feature", onDemandFeatureSchema, onDemandFeatureRules, elsewhere.rest],
    ["a feature service", featureServiceSchema, featureServiceRules, elsewhere.rest],
  ])("of %s has a rule", (_what, schema, rules, except) => {
    const members = Object.keys(schema.shape).filter((name) => ![...except, "name"].includes(name));
    expect(members.length).toBeGreaterThan(1);
    expect(members.filter((name) => !Object.hasOwn(rules, name))).toEqual([]);
  });

  it("and no rule is for a member that is not there", () => {
    const views = { ...batchViewSchema.shape, ...streamViewSchema.shape, ...directViewSchema.shape };
    const tables = { ...fileTableSchema.shape, ...postgresTableSchema.shape };
    const pairs: [Rules, object][] = [
      [featureRules, featureSchema.shape],
      [viewRules, views],
      [entityRules, entitySchema.shape],
      [eventSourceRules, eventSourceSchema.shape],
      [tableSourceRules, tables],
      [onDemandFeatureRules, onDemandFeatureSchema.shape],
      [featureServiceRules, featureServiceSchema.shape],
    ];
    const idle = pairs.flatMap(([rules, shape]) =>
      Object.keys(rules).filter((name) => !Object.hasOwn(shape, name.replace(/ order$/, ""))),
    );
    expect(idle).toEqual([]);
  });

  it("of a request field is one that its rule looks at", () => {
    expect(Object.keys(requestFieldSchema.shape).sort()).toEqual(["as", "name", "nullable", "of", "type"]);
  });

  it("of a catalog is planned", () => {
    const planned = ["partitions", "entities", "sources", "onDemandFeatures", "views", "featureServices"];
    expect(Object.keys(catalogBodySchema.shape).sort()).toEqual(["format", ...planned].sort());
  });
});

const risk = {
  name: "risk",
  type: "float64" as const,
  inputs: [
    { name: "score", type: "float64" as const },
    { name: "party", type: "int64" as const },
  ],
  expression: "score * double(party)",
};
const board = firstBody.featureServices.board;
if (board === undefined) throw new Error("no board");
const current: CatalogBody = catalogBodySchema.parse({
  ...firstBody,
  onDemandFeatures: { risk },
  featureServices: {
    board: {
      ...board,
      onDemand: [
        {
          name: "risk",
          feature: "risk",
          inputs: { score: { from: "column", name: "score" }, party: { from: "request", name: "party" } },
        },
      ],
      requestFields: [{ name: "party", type: "int32", nullable: false }],
    },
  },
});

type Edit = (body: CatalogBody) => void;
function planOf(edit: Edit): readonly Change[] {
  const next = structuredClone(current);
  edit(next);
  return planCatalog(current, next).changes;
}
const brief = ({ kind, what, name, needs, breaks }: Change) =>
  [kind, what, name, needs ?? "-", breaks.join("+")].join(" ").trim();
// biome-ignore lint/suspicious/noExplicitAny: a test that reaches anywhere
const any = (value: unknown) => value as any;
const feature =
  (change: object): Edit =>
  (body) =>
    void Object.assign(any(body.views.congestion).features[0], change);
const view =
  (name: string, change: object): Edit =>
  (body) =>
    void Object.assign(any(body.views[name]), change);
const source =
  (name: string, change: object): Edit =>
  (body) =>
    void Object.assign(any(body.sources[name]), change);
const onDemand =
  (change: object): Edit =>
  (body) =>
    void Object.assign(any(body.onDemandFeatures).risk, change);
const service =
  (change: (board: FeatureService) => void): Edit =>
  (body) =>
    change(any(body.featureServices.board));

describe("what definitions have come to say", () => {
  const score = "feature congestion.score";
  it.each<[string, Edit, string[]]>([
    ["a first least length", feature({ minLength: 1 }), [`breaking ${score} newVersion board`]],
    ["a first greatest length", feature({ maxLength: 9 }), [`breaking ${score} newVersion board`]],
    ["null forbidden", feature({ nullable: false }), [`breaking ${score} newVersion board`]],
    ["null said to be allowed", feature({ nullable: true }), [`compatible ${score} -`]],
    ["bigint instead of a safe integer", feature({ as: "bigint" }), [`breaking ${score} newVersion board`]],
    ["tags, an owner, pii", feature({ tags: ["a"], owner: "b", pii: true }), [`compatible ${score} -`]],
    ["a record of its own", view("congestion", { ownRecord: true }), ["breaking view congestion newVersion board"]],
    ["another rule for the same lane", view("profile", { laneRule: "x" }), ["compatible view profile -"]],
    ["what a batch view aggregates", view("profile", { aggregate: {} }), ["compatible view profile -"]],
    ["tags of a view", view("now", { tags: ["a"] }), ["compatible view now -"]],
    [
      "a derived column",
      view("now", { derive: [{ name: "late", type: "bool", expression: "true" }] }),
      ["breaking view now newVersion board"],
    ],
    ["an event id", source("departures", { id: "origin" }), ["breaking source departures newVersion board"]],
    ["the time an id is remembered", source("departures", { dedupeMs: 5 }), ["compatible source departures -"]],
    ["allowed lateness", source("departures", { allowedLatenessMs: 5 }), ["compatible source departures -"]],
    ["another format of a table", source("lines", { format: "json" }), ["compatible source lines -"]],
    [
      "a table that a query gives",
      (body) => {
        const { files: _files, ...rest } = any(body.sources.lines);
        any(body.sources).lines = { ...rest, format: "postgres", connection: "crm", query: "select 1" };
      },
      ["compatible source lines -"],
    ],
    ["another expression", onDemand({ expression: "0.0" }), ["compatible onDemandFeature risk -"]],
    [
      "another type of an on-demand feature",
      onDemand({ type: "string" }),
      ["breaking onDemandFeature risk allowDestroy board"],
    ],
    [
      "an input more",
      onDemand({ inputs: [...risk.inputs, { name: "c", type: "bool" }] }),
      ["compatible onDemandFeature risk -"],
    ],
    [
      "an on-demand feature gone",
      (body) => {
        delete body.onDemandFeatures;
        const { onDemand: _onDemand, ...rest } = any(body.featureServices.board);
        any(body.featureServices).board = rest;
      },
      ["removal onDemandFeature risk allowDestroy board", "breaking featureService board allowDestroy board"],
    ],
    [
      "a column computed otherwise",
      service((board) => {
        any(board.onDemand)[0].inputs.score.name = "flights";
      }),
      ["compatible featureService board -"],
    ],
    [
      "a column of another on-demand feature",
      service((board) => {
        any(board.onDemand)[0].feature = "other";
      }),
      ["breaking featureService board allowDestroy board"],
    ],
    [
      "a required request field more",
      service((board) => void board.requestFields?.push({ name: "x", type: "bool", nullable: false })),
      ["breaking featureService board allowDestroy board"],
    ],
    [
      "an optional request field more",
      service((board) => void board.requestFields?.push({ name: "x", type: "bool", nullable: true })),
      ["compatible featureService board -"],
    ],
    [
      "a wider request field that may be null",
      service((board) => {
        any(board.requestFields)[0] = { name: "party", type: "int64", nullable: true };
      }),
      ["compatible featureService board -"],
    ],
    [
      "a request field as another type",
      service((board) => {
        any(board.requestFields)[0].type = "string";
      }),
      ["breaking featureService board allowDestroy board"],
    ],
    [
      "a request field gone: readers who send it are refused",
      service((board) => {
        any(board).requestFields = [];
      }),
      ["breaking featureService board allowDestroy board"],
    ],
    [
      "tags of a feature service",
      service((board) => {
        any(board).tags = ["a"];
      }),
      ["compatible featureService board -"],
    ],
  ])("%s", (_what, edit, expected) => {
    expect(planOf(edit).map(brief)).toEqual(expected);
  });

  it("looser lengths are compatible, tighter ones are not", () => {
    const limited = withViews({
      congestion: { ...direct, features: [{ name: "score", type: "string", minLength: 2, maxLength: 4 }] },
    });
    const to = (change: object) =>
      planCatalog(
        limited,
        withViews({ congestion: { ...direct, features: [{ name: "score", type: "string", ...change }] } }),
      ).changes.map(({ kind }) => kind);
    expect(to({ minLength: 1, maxLength: 5 })).toEqual(["compatible"]);
    expect(to({})).toEqual(["compatible"]);
    expect(to({ minLength: 3, maxLength: 4 })).toEqual(["breaking"]);
    expect(to({ minLength: 2, maxLength: 3 })).toEqual(["breaking"]);
  });
});

describe("a change says", () => {
  it("its lane, where it has one, and its reason, always", () => {
    const next = withViews({
      congestion: { ...direct, version: 2, features: [{ name: "score", type: "string" }] },
      profile: { ...batch, everyMs: 60_000 },
      now: undefined,
      later: { ...stream, name: "later" },
    });
    const { changes } = planCatalog(firstBody, next);
    const told = changes.map(({ kind, what, name, lane, reason }) => [kind, what, name, lane, reason] as const);
    expect(told.map(([kind, what, name, lane]) => `${kind} ${what} ${name} ${lane}`)).toEqual([
      "breaking view congestion direct",
      "breaking feature congestion.score direct",
      "removal feature congestion.level direct",
      "compatible view profile batch",
      "removal view now stream",
      "removal feature now.n_1h stream",
      "addition view later stream",
      "addition feature later.n_1h stream",
      "breaking featureService board null",
    ]);
    for (const [, , name, , reason] of told) expect(reason, name).toMatch(/^\w.{15,}$/);
    expect(told[0]?.[4]).toBe("version 2 begins empty and is filled by its producers");
  });
});
