import { describe, expect, it, vi } from "vitest";
import { count, mean, percentile } from "./aggregation.ts";
import { fingerprintOf } from "./canonical-json.ts";
import { compileDefinitions } from "./compile.ts";
import { derived } from "./derived-column.ts";
import { type EntityDefinition, entity } from "./entity.ts";
import { featureService } from "./feature-service.ts";
import { bool, bytes, float64, int32, int64, list, map, string, timestamp, uuid } from "./feature-type.ts";
import { DefinitionError } from "./problems.ts";
import { eventSource, tableSource } from "./source.ts";
import { batchView, directView, streamView } from "./view.ts";

const airport = entity("airport", { key: { code: string() } });
const plane = entity("plane", { key: { number: int64() } });
const ticket = entity("ticket", { key: { id: uuid() } });
const fields = { origin: string(), tail: int32(), when: timestamp(), delay: float64() };
const departures = eventSource("departures", { fields, eventTime: "when", disorder: "4h" });
const flights = tableSource("flights", { format: "csv", files: ["raw/*.csv"], fields: { origin: string() } });

const direct = { entity: airport, producers: [], freshness: "1m" } as const;
const batch = { entity: airport, from: [flights], sql: "select 1", every: "1h", freshness: "3h" } as const;
const stream = {
  entity: airport,
  from: departures,
  keys: { code: "origin" },
  windows: ["1h"],
  hop: "5m",
  freshness: "1m",
  features: { n: count() },
} as const;
const none = undefined as never;

function problemsOf(...exported: readonly unknown[]): string[] {
  try {
    compileDefinitions(exported);
    return [];
  } catch (error) {
    if (!(error instanceof DefinitionError)) throw error;
    return error.problems.map(({ definition, problem }) => `${definition} ${problem}`);
  }
}

describe("a definition that is wrong", () => {
  it.each<[string, unknown, string]>([
    [
      "a name",
      directView("Bad-Name", { ...direct, features: { x: bool() } }),
      'view "Bad-Name" has a name that must be letters, digits and _, starting with a lower-case letter, 63 at most; rename it, for example "bad_Name"',
    ],
    [
      "a name of a feature",
      directView("v", { ...direct, features: { "1st": bool() } }),
      'view "v" feature "1st" must be letters, digits and _, starting with a lower-case letter, 63 at most; rename it, for example "st"',
    ],
    ["a name of a key", entity("e", { key: { "the id": string() } }), 'entity "e" key "the id" must be letters'],
    [
      "a name of a field",
      eventSource("s", { eventTime: "when", disorder: "4h", fields: { ...fields, "o-d": string() } }),
      'eventSource "s" field "o-d" must be letters',
    ],
    [
      "a name of an aggregation",
      streamView("v", { ...stream, features: { N: count() } }),
      'view "v" feature "N" must be letters, digits and _, starting with a lower-case letter, 63 at most; rename it, for example "n"',
    ],
    [
      "a name of a derived column",
      streamView("v", { ...stream, derive: { _x: derived(bool(), "delay > 1.0") } }),
      'view "v" derived column "_x" must be letters',
    ],
    ["an empty name", entity("", { key: { id: string() } }), 'entity "" has a name that must be letters'],
    ["a name that is none", entity(none, { key: { id: string() } }), "has no name; give it one as the first argument"],
    [
      "a name of a column",
      featureService("s", [directView("v", { ...direct, features: { x: bool() } }).prefix("X-")]),
      'featureService "s" column "X-x" must be letters, digits and _, starting with a lower-case letter; change it',
    ],
    [
      "a key that a view does not have",
      featureService("s", [directView("v", { ...direct, features: { x: bool() } }).on({ code: "a", other: "b" })]),
      'featureService "s" says .on for "other" of view "v", whose keys are code; remove it',
    ],
    [
      "a key of two types",
      featureService("s", [
        directView("v", { ...direct, features: { x: bool() } }).on({ code: "id" }),
        directView("w", { ...direct, entity: plane, features: { y: bool() } }).on({ number: "id" }),
      ]),
      'featureService "s" uses key "id" both as string and as int64; give one another name with .on',
    ],
    ["no keys", entity("e", { key: {} }), 'entity "e" has no keys; declare one: key: { id: string() }'],
    [
      "no fields",
      tableSource("t", { format: "csv", files: ["x"], fields: {} }),
      'tableSource "t" has no fields; declare them',
    ],
    [
      "no features",
      directView("v", { ...direct, features: {} }),
      'view "v" has no features; declare at least one: features: { score: float64() }',
    ],
    [
      "no aggregations",
      streamView("v", { ...stream, features: {} }),
      'view "v" has no features; declare at least one: features: { events: count() }',
    ],
    [
      "a feature that is undefined",
      directView("v", { ...direct, features: { x: none } }),
      'view "v" has "x", which is no type such as float64(); what is undefined there may come from files that import each other',
    ],
    [
      "no entity",
      directView("v", { ...direct, entity: none, features: { x: bool() } }),
      'view "v" has no entity; give it one made by entity(…); what is undefined there may come from files',
    ],
    [
      "no event source",
      streamView("v", { ...stream, from: none }),
      'view "v" has no event source; name one: from: departures;',
    ],
    [
      "no sources",
      batchView("v", { ...batch, from: [], features: { x: bool() } }),
      'view "v" has no sources; list the table sources',
    ],
    ["a use of nothing", featureService("s", [none]), 'featureService "s" must list views and on-demand features'],
    [
      "empty SQL",
      batchView("v", { ...batch, sql: " \n", features: { x: bool() } }),
      'view "v" has no SQL; write a SELECT',
    ],
    [
      "no files",
      tableSource("t", { format: "csv", files: [], fields }),
      'tableSource "t" has no files; name at least one glob',
    ],
    [
      "a window beside its hop",
      streamView("v", { ...stream, windows: ["7m"] }),
      'view "v" window 7m is not a multiple of its hop 5m; use 5m or 10m, or a hop that divides it',
    ],
    [
      "a window below its hop",
      streamView("v", { ...stream, windows: ["30s"] }),
      'view "v" window 30s is not a multiple of its hop 5m; use 5m, or a hop that divides it',
    ],
    [
      "a window twice",
      streamView("v", { ...stream, windows: ["1h", "60m"] }),
      'view "v" windows "1h" and "60m" are the same; remove one',
    ],
    [
      "no windows",
      streamView("v", { ...stream, windows: [] }),
      'view "v" has no windows; name at least one: windows: ["1h"]',
    ],
    [
      "too many windows",
      streamView("v", { ...stream, windows: Array.from({ length: 33 }, (_, i) => `${i + 1}h` as const) }),
      'view "v" has 33 windows; at most 32 are allowed: split it',
    ],
    [
      "too many features",
      streamView("v", {
        ...stream,
        windows: ["1h", "2h"],
        features: Object.fromEntries(Array.from({ length: 501 }, (_, i) => [`n${i}`, count()])),
      }),
      'view "v" has 1002 features in its 2 windows; at most 1000 are allowed',
    ],
    [
      "a fraction of an hour",
      streamView("v", { ...stream, windows: ["1.5h"] }),
      'view "v" windows "1.5h" is not a duration; use one such as "15m"',
    ],
    [
      "a quantile",
      streamView("v", { ...stream, features: { p: percentile("delay", 90) } }),
      'view "v" feature "p" asks for the quantile 90; use one between 0 and 1, such as 0.9',
    ],
    [
      "a field that is none",
      streamView("v", { ...stream, features: { m: mean("constructor") } }),
      'view "v" feature "m" aggregates "constructor", which source "departures" does not have',
    ],
    [
      "a key of another type",
      streamView("v", { ...stream, entity: plane, keys: { number: "origin" } }),
      'view "v" key "number" is int64 and field "origin" is string; use a field of type int64 or int32',
    ],
    [
      "a text key of a number",
      streamView("v", { ...stream, keys: { code: "tail" } }),
      'view "v" key "code" is string and field "tail" is int32; use a field of type string',
    ],
    [
      "a uuid key of a number",
      streamView("v", { ...stream, entity: ticket, keys: { id: "tail" } }),
      'view "v" key "id" is uuid and field "tail" is int32; use a field of type string',
    ],
    [
      "a key that is not said",
      streamView("v", { ...stream, keys: {} as { code: "origin" } }),
      'view "v" does not say which field is join key "code"; add it: keys: { code: "…" }',
    ],
    [
      "a key that is none",
      streamView("v", { ...stream, keys: { code: "origin", more: "tail" } as { code: "origin" } }),
      'view "v" says a field for "more", which is no key of entity "airport"; remove it',
    ],
    [
      "a key that is no key type",
      entity("e", { key: { at: float64() as never } }),
      'entity "e" key "at" is float64; use string, int64 or uuid',
    ],
    [
      "a key with checks",
      entity("e", { key: { id: string({ maxLength: 3 }) } }),
      'entity "e" key "id" has maxLength, which a key does not take; remove it',
    ],
    [
      "too many keys",
      entity("e", { key: Object.fromEntries(Array.from({ length: 9 }, (_, i) => [`k${i}`, string()])) }),
      'entity "e" has 9 keys; at most 8 are allowed',
    ],
    [
      "an event time that is missing",
      eventSource("s", { fields, eventTime: none, disorder: "1m" }),
      'eventSource "s" says no eventTime; name the timestamp field',
    ],
    [
      "an event time that is none",
      eventSource("s", { fields, eventTime: "then" as "when", disorder: "1m" }),
      'eventSource "s" eventTime "then" is not one of its fields; declare it: then: timestamp()',
    ],
    [
      "an event time that is text",
      eventSource("s", { fields, eventTime: "origin", disorder: "1m" }),
      'eventSource "s" eventTime "origin" must name a timestamp field, and it is string',
    ],
    [
      "a field with checks",
      eventSource("s", { eventTime: "when", disorder: "4h", fields: { ...fields, n: int64({ min: 0 }) } }),
      'eventSource "s" field "n" has min, which a field does not take',
    ],
    [
      "a map in a table",
      tableSource("t", { format: "csv", files: ["x"], fields: { m: map(int64()) } }),
      'tableSource "t" field "m" is a map, which batch SQL does not take; use json()',
    ],
    [
      "names that SQL takes for one",
      tableSource("t", { format: "csv", files: ["x"], fields: { a: bool(), A: bool() } }),
      'tableSource "t" fields "A" and "a" are one name in SQL; rename one',
    ],
    [
      "a feature named like a key",
      batchView("v", { ...batch, features: { code: string() } }),
      'view "v" columns "code" and "code" are one name in SQL; rename one',
    ],
    [
      "a list that SQL has not",
      batchView("v", { ...batch, features: { x: list(bytes()) } }),
      'view "v" feature "x" is a list of bytes, which batch SQL does not take; use a list of bool, int32',
    ],
    [
      "a tolerance without SQL",
      directView("v", { ...direct, features: { x: float64({ tolerance: 1 }) } }),
      'view "v" feature "x" has a tolerance, which only a batch view looks at; remove it',
    ],
    [
      "a share",
      batchView("v", { ...batch, deleteShareMax: 50, features: { x: bool() } }),
      'view "v" deleteShareMax 50 must be a share from 0 to 1',
    ],
    [
      "a version",
      directView("v", { ...direct, version: 0, features: { x: bool() } }),
      'view "v" version 0 must be a whole number from 1 on',
    ],
    [
      "no producers",
      directView("v", { ...direct, producers: none, features: { x: bool() } }),
      'view "v" says no producers; name who may write it',
    ],
    [
      "tags",
      directView("v", { ...direct, tags: [""], features: { x: bool() } }),
      'view "v" tags must be a list of at most 32 texts',
    ],
    [
      "a description",
      entity("e", { key: { id: string() }, description: 5 as never }),
      'entity "e" description must be a text',
    ],
    ["a format", tableSource("t", { format: "xml" as "csv", files: ["x"], fields }), 'tableSource "t" format'],
  ])("is told with what to do: %s", (_what, definition, problem) => {
    expect(problemsOf(definition)[0]).toContain(problem);
  });

  it("costs no more than its own line, whoever stands on it", () => {
    const broken = directView("broken", { ...direct, entity: none, features: { x: bool() } });
    const service = featureService("s", [broken.pick("x")]);
    const other = directView("other", { ...direct, features: { Y: bool() } });
    expect(problemsOf(service, other, broken)).toEqual([
      expect.stringContaining('view "broken" has no entity'),
      expect.stringContaining('view "other" feature "Y"'),
    ]);
  });
});

describe("names of definitions", () => {
  const view = (name: string) => directView(name, { ...direct, features: { x: bool() } });

  it("belong to one of a kind, whatever their case; the other is told with its place", () => {
    expect(problemsOf(view("twin"), view("twin"))).toEqual([
      expect.stringMatching(/^view "twin" is defined twice, first at .*problems\.test\.ts:\d+; rename one$/),
    ]);
    expect(problemsOf(view("twin"), view("tWin"))).toEqual([
      expect.stringMatching(/^view "tWin" and "twin", first at .* differ in case alone/),
    ]);
    const table = tableSource("departures", { format: "csv", files: ["x"], fields });
    expect(problemsOf(departures, table)).toEqual([
      expect.stringContaining('tableSource "departures" is defined twice'),
    ]);
  });

  it("may be the same in two kinds", () => {
    expect(problemsOf(view("airport"), featureService("airport", [view("other")]))).toEqual([]);
  });
});

describe("what a module exports", () => {
  const view = directView("v", { ...direct, features: { x: bool() } });
  const fingerprint = fingerprintOf(compileDefinitions([view]));

  it.each([
    ["a list", [[view]]],
    ["a plain object", [{ view, note: "text" }]],
    ["a default export of both", [{ all: [airport, view], nothing: null }]],
    ["an object twice", [{ view }, [view]]],
  ])("may be %s of definitions", (_what, exported) => {
    expect(fingerprintOf(compileDefinitions(exported))).toBe(fingerprint);
  });

  it("is looked into three levels deep, and not into what has a use of its own", () => {
    expect(Object.keys(compileDefinitions([[[[view]]]]).views)).toEqual(["v"]);
    expect(Object.keys(compileDefinitions([[[[[view]]]]]).views)).toEqual([]);
    expect(Object.keys(compileDefinitions([view.on({ code: "x" }).overriddenBy(view)]).views)).toEqual([]);
    const circle: { self?: unknown } = {};
    circle.self = circle;
    expect(Object.keys(compileDefinitions([circle, view]).views)).toEqual(["v"]);
  });

  it("may come from another copy of this package", async () => {
    vi.resetModules();
    const copy = await import("./entity.ts");
    const views = await import("./view.ts");
    expect(copy.entity).not.toBe(entity);
    const far: EntityDefinition<{ code: ReturnType<typeof string> }> = copy.entity("airport", {
      key: { code: string() },
    });
    const theirs = views.directView("v", { ...direct, entity: far, features: { x: bool() } });
    expect(fingerprintOf(compileDefinitions([theirs]))).toBe(fingerprint);
    const wrong = views.directView("V", { ...direct, entity: far, features: { x: bool() } });
    expect(() => compileDefinitions([wrong])).toThrow(/problems\.test\.ts:\d+ view "V"/);
  });
});

describe("labels", () => {
  it("of every kind of definition reach the catalog, and of an aggregation each of its windows", () => {
    const said = { description: "d", owner: "o", tags: ["a", "b"] };
    const body = compileDefinitions([
      entity("airport", { key: { code: string() }, ...said }),
      eventSource("departures", { fields, eventTime: "when", disorder: "0s", ...said }),
      tableSource("flights", {
        format: "csv",
        files: ["x"],
        fields: { origin: string({ description: "f" }) },
        ...said,
      }),
      featureService(
        "s",
        [
          directView("v", {
            ...direct,
            entity: entity("gate", { key: { id: string() } }),
            features: { x: bool(said) },
            ...said,
          }),
        ],
        said,
      ),
      streamView("w", {
        ...stream,
        entity: plane,
        from: eventSource("e", { fields, eventTime: "when", disorder: "1m" }),
        keys: { number: "tail" },
        windows: ["1h", "2h"],
        features: { n: count(said), m: mean("delay") },
      }),
    ]);
    expect(body.entities.airport).toMatchObject(said);
    expect(body.sources.departures).toMatchObject({ ...said, disorderMs: 0 });
    expect(body.sources.flights).toMatchObject({ ...said, fields: [{ name: "origin", description: "f" }] });
    expect(body.views.v).toMatchObject({ ...said, features: [said] });
    expect(body.featureServices.s).toMatchObject(said);
    expect(body.views.w?.features).toEqual([
      { name: "n_1h", type: "int64", ...said },
      { name: "n_2h", type: "int64", ...said },
      { name: "m_1h", type: "float64" },
      { name: "m_2h", type: "float64" },
    ]);
  });
});
