import { describe, expect, it } from "vitest";
import { count, mean } from "./aggregation.ts";
import { compileDefinitions } from "./compile.ts";
import { compileDerived, type DerivedColumn, derived } from "./derived-column.ts";
import { entity } from "./entity.ts";
import { bool, bytes, float64, int64, string, timestamp } from "./feature-type.ts";
import { eventSource } from "./source.ts";
import { streamView } from "./view.ts";

const fields = { origin: "string", delay: "float64", gates: "int64", at: "timestamp" } as const;
const event = { origin: "ORD", delay: 90, gates: 0, at: 1_000 };

function derive(type: DerivedColumn["type"], expression: string, values = {}) {
  const step = compileDerived([{ name: "x", type, expression }], fields, (why) => expect.unreachable(why));
  return step({ ...event, ...values }).x;
}

describe("a derived column", () => {
  it.each([
    ["float64", "delay / 60.0", 1.5],
    ["bool", "delay > 15.0", true],
    ["float64", "delay / 60", 1.5],
    ["float64", "delay == null ? 0.0 : delay", 90],
    ["string", "origin + '-' + string(delay)", "ORD-90"],
    ["int64", "size(origin)", 3],
    ["timestamp", "at + 500.0", 1_500],
    ["timestamp", "timestamp('2001-01-05T12:00:00Z')", Date.UTC(2001, 0, 5, 12)],
  ] as const)("of type %s is what %s gives", (type, expression, wanted) => {
    expect(derive(type, expression)).toBe(wanted);
  });

  it.each([
    ["a field is null", "float64", "delay / 60.0", { delay: null }],
    ["a text is null", "string", "origin + '-T1'", { origin: null }],
    ["a number is divided by zero", "float64", "delay / gates", {}],
    ["the result is not a number", "float64", "gates / gates", {}],
    ["the result is no whole number", "int64", "delay / 60.0", {}],
    ["the result is not in the type's range", "int32", "delay * 1e9", {}],
  ] as const)("is null when %s", (_, type, expression, values) => {
    expect(derive(type, expression, values)).toBeNull();
  });

  it("may ask whether a field is null", () => {
    expect(derive("float64", "delay == null ? 0.0 : delay", { delay: null })).toBe(0);
  });

  it("may use the columns declared before it, and no later one", () => {
    const hours = { name: "hours", type: "float64", expression: "delay / 60.0" } as const;
    const days = { name: "days", type: "float64", expression: "hours / 24.0" } as const;
    const problems: string[] = [];
    const run = compileDerived([hours, days], fields, (why) => problems.push(why));
    expect(run({ ...event, delay: 720 })).toMatchObject({ hours: 12, days: 0.5 });
    expect(run({ ...event, delay: null })).toMatchObject({ hours: null, days: null });
    expect(problems).toEqual([]);
    compileDerived([days, hours], fields, (why) => problems.push(why));
    expect(problems).toEqual([expect.stringMatching(/"days" CEL "hours \/ 24.0": Unknown variable: hours/)]);
  });
});

const airport = entity("airport", { key: { code: string() } });
const flights = eventSource("flights", {
  fields: { origin: string(), delay: float64(), at: timestamp() },
  eventTime: "at",
  disorder: "4h",
});
const common = {
  entity: airport,
  from: flights,
  windows: ["15m"],
  hop: "1m",
  freshness: "1m",
  features: { n: count() },
} as const;

describe("derived columns of a stream view", () => {
  it("stand in the catalog in their order, for keys, filter and aggregations to name", () => {
    const view = streamView("late", {
      ...common,
      derive: { hours: derived(float64(), "delay / 60.0"), terminal: derived(string(), "origin + '-T1'") },
      keys: { code: "terminal" },
      where: "hours > 0.25",
      features: { n: count(), hoursMean: mean("hours") },
    });
    expect(compileDefinitions([view]).views.late).toMatchObject({
      derive: [
        { name: "hours", type: "float64", expression: "delay / 60.0" },
        { name: "terminal", type: "string", expression: "origin + '-T1'" },
      ],
      keys: { code: "terminal" },
    });
  });

  it("leave no trace where there are none", () => {
    const plain = streamView("plain", { ...common, keys: { code: "origin" } });
    expect(compileDefinitions([plain]).views.plain).not.toHaveProperty("derive");
  });

  it("are refused with their name and what to do", () => {
    const wrong = [
      streamView("a", {
        ...common,
        // @ts-expect-error a field has this name
        derive: { delay: derived(float64(), "1.0") },
        keys: { code: "origin" },
      }),
      streamView("b", {
        ...common,
        derive: {
          text: derived(float64(), "origin"),
          broken: derived(bool(), "delay >"),
          unknown: derived(int64(), "nope"),
          // @ts-expect-error CEL gives no such value
          raw: derived(bytes(), "b'x'"),
        },
        keys: { code: "origin" },
        features: { m: mean("text"), nothing: mean("missing") },
      }),
      streamView("c", {
        ...common,
        derive: { hours: derived(float64(), "delay / 60.0") },
        // @ts-expect-error neither a field nor a derived column
        keys: { code: "days" },
      }),
    ];
    for (const named of [
      'view "a" derived column "delay" has the name of a field',
      'view "b" derived column "text" CEL "origin": is string, which is no float64',
      'view "b" derived column "broken" CEL',
      'view "b" derived column "unknown" CEL "nope": Unknown variable',
      'view "b" derived column "raw" is bytes; declare one of bool, int32',
      'view "b" feature "nothing" aggregates "missing", which source "flights" does not have, nor does derive',
      'view "c" key "code" names field "days", which source "flights" does not have, nor does derive',
    ]) {
      expect(() => compileDefinitions(wrong)).toThrow(named);
    }
  });
});
