import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { toFeatureValue } from "../codec/value-codec.ts";
import { catalogBodySchema } from "../contracts/catalog.ts";
import { featureSchema } from "../contracts/feature.ts";
import { canonicalJson } from "./canonical-json.ts";
import { compileDefinitions } from "./compile.ts";
import { compileFeature } from "./compile-feature.ts";
import { entity } from "./entity.ts";
import { optionsOfType } from "./feature-options.ts";
import {
  bool,
  bytes,
  date,
  float32,
  float64,
  int32,
  int64,
  json,
  list,
  map,
  string,
  type TypeDefinition,
  timestamp,
  vector,
} from "./feature-type.ts";
import { directView } from "./view.ts";

type AnyType = TypeDefinition<unknown, null>;

function compile(definition: AnyType) {
  return compileFeature("f", definition, (why) => expect.unreachable(why));
}

function problemsOf(definition: AnyType): string[] {
  const problems: string[] = [];
  compileFeature("f", definition, (why) => problems.push(why));
  return problems;
}

describe("a feature", () => {
  it("that says nothing holds its name and type alone, so that catalogs keep their fingerprints", () => {
    expect(compile(float64())).toEqual({ name: "f", type: "float64" });
    expect(compile(string({ nullable: true, pii: false, tags: [] }))).toEqual({ name: "f", type: "string" });
  });

  it("carries everything that was said of it", () => {
    const said = { description: "minutes", owner: "ops", tags: ["gate"], min: 0, max: 9, tolerance: 0.5 };
    expect(compile(float64({ ...said, nullable: false, pii: true, default: 1 }))).toEqual({
      name: "f",
      type: "float64",
      ...said,
      nullable: false,
      pii: true,
      default: 1,
    });
    expect(compile(list(int64({ as: "bigint" }), { maxLength: 3 }))).toEqual({
      name: "f",
      type: "list",
      of: "int64",
      as: "bigint",
      maxLength: 3,
    });
  });

  it("takes every option that its type's row of the table names, and the catalog holds it", () => {
    const values = { description: "d", owner: "o", tags: ["t"], pii: true, nullable: false, min: 1, max: 2 };
    const more = { tolerance: 1, minLength: 0, maxLength: 9, enum: ["a"], as: "bigint" as const };
    for (const [type, names] of Object.entries(optionsOfType)) {
      const shape = type === "vector" ? { dimension: 2 } : type === "list" || type === "map" ? { of: "bool" } : {};
      const all: Record<string, unknown> = { ...values, ...more };
      const said = Object.fromEntries(names.filter((name) => name !== "default").map((name) => [name, all[name]]));
      const feature = compile({ kind: "type", type, options: { ...shape, ...said } } as AnyType);
      expect(featureSchema.parse(feature), type).toEqual({ name: "f", type, ...shape, ...said });
    }
  });
});

describe("an option that does not fit", () => {
  it.each<[AnyType, string]>([
    [
      // @ts-expect-error not an option of the type
      string({ min: 1 }),
      'has no option "min": string takes description, owner, tags, pii, nullable, default, minLength',
    ],
    // @ts-expect-error not an option of the type
    [string({ tolerance: 1 }), 'has no option "tolerance"'],
    // @ts-expect-error not an option of the type
    [float64({ enum: ["a"] }), 'has no option "enum"'],
    // @ts-expect-error not an option of the type
    [float64({ as: "bigint" }), 'has no option "as"'],
    // @ts-expect-error not an option of the type
    [bool({ min: 1 }), 'has no option "min"'],
    // @ts-expect-error not an option of the type
    [json({ maxLength: 1 }), 'has no option "maxLength"'],
    // @ts-expect-error misspelt
    [float64({ minn: 1 }), 'has no option "minn": float64 takes'],
    [float64({ min: 2, max: 1 }), "min 2 is more than max 1; swap them"],
    [float64({ min: Number.NaN }), "min must be a finite number"],
    [float64({ tolerance: -1 }), "tolerance must be a finite number from 0 on"],
    [string({ minLength: 2, maxLength: 1 }), "minLength 2 is more than maxLength 1; swap them"],
    [string({ maxLength: 1.5 }), "maxLength must be a whole number from 0 on"],
    [string({ enum: [] }), "enum must list at least one text"],
    [string({ enum: ["a", "a"] }), "enum lists a value twice"],
    [string({ tags: [""] }), "tags must be a list"],
    // @ts-expect-error not a text
    [string({ owner: 5 }), "owner must be a text"],
    // @ts-expect-error not a truth value
    [string({ nullable: "no" }), "nullable must be true or false"],
    // @ts-expect-error not a known form
    [int64({ as: "string" }), 'as must be "bigint"'],
    [vector(0), "needs a dimension, a whole number from 1 to 65536"],
    // @ts-expect-error no dimension
    [vector(), "needs a dimension"],
    // @ts-expect-error lists hold scalars
    [list(list(float64())), "is a list of lists: a list holds scalars only; use json() for anything deeper"],
    // @ts-expect-error maps hold scalars
    [map(vector(3)), "is a map of vectors: a map holds scalars only"],
    // @ts-expect-error no element type
    [list({}), "needs the type of its elements: list(float64())"],
    [list(float64({ min: 0 })), "has elements with min: elements take no options"],
    [map(string({ enum: ["a"], pii: true })), "has elements with enum, pii: elements take no options"],
  ])("is told: %o", (definition, problem) => {
    expect(problemsOf(definition)).toEqual([expect.stringContaining(`feature "f" ${problem}`)]);
  });
});

describe("a default", () => {
  const at = new Date("2001-03-04T05:06:07.089Z");

  it.each<[AnyType, unknown]>([
    [bool({ default: false }), false],
    [int32({ default: -1 }), -1],
    [int64({ default: 5 }), 5],
    [int64({ as: "bigint", default: 5n }), 5],
    [int64({ as: "bigint", default: 2n ** 62n }), "4611686018427387904"],
    [float32({ default: 0.1 }), Math.fround(0.1)],
    [float64({ default: -0 }), 0],
    [string({ default: "", enum: ["", "a"] }), ""],
    [bytes({ default: Uint8Array.of(1, 2) }), "AQI="],
    [timestamp({ default: at }), "2001-03-04T05:06:07.089Z"],
    [timestamp({ default: "2001-03-04T06:06:07.089+01:00" }), "2001-03-04T05:06:07.089Z"],
    [date({ default: at }), "2001-03-04"],
    [date({ default: "1969-12-31" }), "1969-12-31"],
    [json({ default: { a: [1, null] } }), { a: [1, null] }],
    [vector(2, { default: [1, 0.1] }), [1, Math.fround(0.1)]],
    [vector(2, { default: Float32Array.of(1, 2) }), [1, 2]],
    [list(timestamp(), { default: [at] }), ["2001-03-04T05:06:07.089Z"]],
    [list(date(), { default: [at] }), ["2001-03-04"]],
    [list(int64({ as: "bigint" }), { default: [1n, 2n ** 60n] }), [1, "1152921504606846976"]],
    [list(string(), { default: [] }), []],
    [map(bytes(), { default: { a: Uint8Array.of(1, 2) } }), { a: "AQI=" }],
    [map(float64(), { default: { b: 2, a: 1.5 } }), { a: 1.5, b: 2 }],
  ])("of %o stands in the catalog as %o", (definition, form) => {
    expect(compile(definition).default).toEqual(form);
  });

  it.each<[AnyType, string]>([
    // @ts-expect-error of another type
    [float64({ default: "a" }), "has a default that it would not take: it must be float64"],
    [float64({ default: 2, max: 1 }), "it must be at most 1"],
    [int32({ default: 1.5 }), "it must be int32"],
    [string({ default: "c", enum: ["a", "b"] }), "it must be one of a, b"],
    [string({ default: "abc", maxLength: 2 }), "it must have at most 2 characters"],
    [list(int64(), { default: [1], minLength: 2 }), "it must have at least 2 elements"],
    [vector(3, { default: [1, 2] }), "it must be a vector of 3 numbers"],
    [timestamp({ default: new Date(Number.NaN) }), "it must be a timestamp"],
    // @ts-expect-error a number and a bigint do not mix
    [int64({ as: "bigint", default: 2 ** 60 }), "it must be int64 (a whole number of 64 bits"],
    [json({ default: null }), "has the default null"],
    [json({ default: { a: undefined } }), "has a default that it would not take"],
  ])("that the feature would not take is told: %o", (definition, problem) => {
    expect(problemsOf(definition)).toEqual([expect.stringContaining(problem)]);
  });

  it("comes back from its JSON form as the value that a write of it gives", () => {
    const cases = fc.oneof<fc.Arbitrary<AnyType>[]>(
      fc.float({ noNaN: true, noDefaultInfinity: true }).map((value) => float32({ default: value })),
      fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => float64({ default: value })),
      fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map((value) => int64({ as: "bigint", default: value })),
      fc.date({ noInvalidDate: true }).map((value) => timestamp({ default: value })),
      fc.uint8Array().map((value) => bytes({ default: value })),
      fc
        .array(fc.float({ noNaN: true, noDefaultInfinity: true }), { minLength: 3, maxLength: 3 })
        .map((value) => vector(3, { default: value })),
      fc.dictionary(fc.string(), fc.uint8Array()).map((value) => map(bytes(), { default: value })),
      fc.array(fc.date({ noInvalidDate: true })).map((value) => list(timestamp(), { default: value })),
    );
    fc.assert(
      fc.property(cases, (definition) => {
        const feature = compile(definition);
        const travelled: unknown = JSON.parse(canonicalJson(feature.default));
        expect(toFeatureValue(feature, travelled)).toEqual(toFeatureValue(feature, definition.options.default));
      }),
    );
  });

  it("keeps the form of a catalog", () => {
    const view = directView("v", {
      entity: entity("e", { key: { id: string() } }),
      producers: [],
      freshness: "1m",
      features: { at: timestamp({ default: at }), raw: bytes({ default: Uint8Array.of(1) }) },
    });
    const body = compileDefinitions([view]);
    expect(catalogBodySchema.parse(JSON.parse(canonicalJson(body)))).toEqual(body);
  });
});
