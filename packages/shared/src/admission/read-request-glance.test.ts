import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readRequestSchema } from "../contracts/read.ts";
import { parseReadRequest } from "./read-request.ts";

const odd = fc.anything({ withBigInt: true, withDate: true, withNullPrototype: true, maxDepth: 2 });
const mostly = <T>(arbitrary: fc.Arbitrary<T>) => fc.oneof({ weight: 12, arbitrary }, { weight: 1, arbitrary: odd });
const value = mostly(
  fc.oneof(
    fc.string(),
    fc.integer(),
    fc.double(),
    fc.bigInt(),
    fc.constantFrom(true, null, Number.NaN, Infinity, "x".repeat(600), "x".repeat(5_000)),
  ),
);
const row = mostly(fc.dictionary(fc.string(), value, { maxKeys: 3, noNullPrototype: true }));
const requestArbitrary = fc.record(
  {
    featureService: mostly(fc.string()),
    keys: mostly(fc.array(row, { minLength: 1, maxLength: 3 })),
    features: mostly(fc.array(fc.string(), { maxLength: 2 })),
    detail: mostly(fc.boolean()),
    waitMs: mostly(fc.integer({ min: -1, max: 40_000 })),
  },
  { requiredKeys: ["featureService", "keys"], noNullPrototype: true },
);

describe("a glance at a read request", () => {
  it("takes and refuses what the schema would, whatever it holds", () => {
    let taken = 0;
    fc.assert(
      fc.property(fc.oneof(requestArbitrary, odd), (request) => {
        const judged = readRequestSchema.safeParse(request);
        if (judged.success) {
          taken += 1;
          expect(parseReadRequest(request)).toEqual(judged.data);
        } else expect(() => parseReadRequest(request)).toThrow();
      }),
      { numRuns: 3_000 },
    );
    expect(taken, "requests that are taken").toBeGreaterThan(100);
  });
});
