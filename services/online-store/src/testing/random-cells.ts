import { type FeatureValue, type Tombstone, tombstone } from "@tributary/shared/contracts/chunk";
import type { Cell, CellSchedule } from "@tributary/shared/merge/cell";
import fc from "fast-check";

/** Random cells for tests: few features, versions and values, so that ties and collisions are common. */
const scalar = fc.oneof(
  fc.constantFrom<FeatureValue>(null, true, false, 0, 1, -1, 0.5, -0.1, "", "a", Number.MAX_SAFE_INTEGER),
  fc.maxSafeInteger(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.string(),
  fc.uint8Array({ maxLength: 8 }),
  fc.bigInt({ min: 2n ** 53n, max: 2n ** 63n - 1n }),
);

export const valueArbitrary: fc.Arbitrary<FeatureValue> = fc.oneof(
  { weight: 6, arbitrary: scalar },
  { weight: 1, arbitrary: fc.array(scalar, { maxLength: 4 }) },
  { weight: 1, arbitrary: fc.dictionary(fc.string({ maxLength: 4 }), scalar, { maxKeys: 4, noNullPrototype: true }) },
);

const tiny = fc.integer({ min: 0, max: 2 });

const scheduleArbitrary: fc.Arbitrary<CellSchedule> = fc
  .tuple(
    fc.uniqueArray(fc.integer({ min: 0, max: 40 }), { maxLength: 4 }),
    fc.array(scalar, { minLength: 4, maxLength: 4 }),
    tiny,
  )
  .map(([instants, values, until]) => ({
    untilMs: 40 + until,
    changes: instants.sort((a, b) => a - b).map((atMs, i) => ({ atMs, value: values[i] as FeatureValue })),
  }));

export const cellArbitrary: fc.Arbitrary<Cell> = fc
  .record({
    feature: fc.constantFrom("a", "b", "c", "d", "delayMean_15m"),
    eventTime: fc.integer({ min: -1, max: 2 }),
    incarnation: fc.integer({ min: 0, max: 1 }),
    sequence: tiny,
    minor: fc.integer({ min: 0, max: 1 }),
    value: fc.oneof<[fc.Arbitrary<FeatureValue>, fc.Arbitrary<Tombstone>]>(
      valueArbitrary,
      fc.constant<Tombstone>(tombstone),
    ),
    schedule: fc.option(scheduleArbitrary, { nil: undefined }),
  })
  .map(({ feature, value, schedule, ...version }) => ({ feature, version, value, ...(schedule && { schedule }) }));
