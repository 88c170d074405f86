import type { Version } from "@tributary/shared/contracts/version";
import fc from "fast-check";
import {
  type ErasureMessage,
  features,
  type History,
  keys,
  type Message,
  type ModelRow,
  type ModelSchedule,
  modelViews,
  type RowsMessage,
  type StartRecord,
  valuesInOrder,
} from "./model.ts";

const messagesMax = 8;
const writers = 3;
const batchMax = 3;

/** Records as a program makes them: a prototype that is missing would make equal ones unequal. */
function plain<T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> {
  return fc.record(model, { noNullPrototype: true }) as fc.Arbitrary<T>;
}

const key = fc.constantFrom(...keys);
const tiny = fc.integer({ min: 0, max: 2 });
const bit = fc.integer({ min: 0, max: 1 });
const version: fc.Arbitrary<Version> = plain({
  eventTime: fc.integer({ min: -1, max: 2 }),
  incarnation: bit,
  sequence: tiny,
  minor: bit,
});

/** Absent cells are as common as present ones: most rows are partial. */
const cells = fc.record(Object.fromEntries(features.map((name) => [name, fc.constantFrom(...valuesInOrder[name])])), {
  requiredKeys: [],
}) as fc.Arbitrary<ModelRow["cells"]>;

const changes = fc.record(
  Object.fromEntries(features.map((name) => [name, fc.constantFrom(...valuesInOrder[name].slice(0, -1))])),
  { requiredKeys: [], noNullPrototype: true },
) as fc.Arbitrary<ModelSchedule["steps"][number]["values"]>;

const schedule: fc.Arbitrary<ModelSchedule | null> = fc.option(
  plain({ untilMs: fc.constantFrom(30, 31, 1_000), values: fc.array(changes, { maxLength: 2 }) }).map(
    ({ untilMs, values }) => ({ untilMs, steps: values.map((one, i) => ({ atMs: 10 * (i + 1), values: one })) }),
  ),
  { freq: 2 },
);

const row: fc.Arbitrary<ModelRow> = plain({ key, version, cells, schedule });

const rowsMessage: fc.Arbitrary<RowsMessage> = plain({
  view: fc.nat(modelViews.length - 1),
  stamped: fc.boolean(),
  position: plain({ incarnation: bit, sequence: tiny, timestampMs: bit }),
  rows: fc.array(row, { minLength: 1, maxLength: 3 }),
}).map(({ stamped, ...message }) => ({
  ...message,
  kind: "rows",
  stamped: stamped || modelViews[message.view]?.lane !== "direct",
}));

const erasure: fc.Arbitrary<ErasureMessage> = plain({ key, version }).map((message) => ({
  ...message,
  kind: "erasure",
}));

const message: fc.Arbitrary<Message> = fc.oneof(
  { weight: 7, arbitrary: rowsMessage },
  { weight: 1, arbitrary: erasure },
);

const startRecord = plain({
  format: fc.constantFrom(1 as const, 2 as const),
  erasure: fc.option(version, { freq: 3 }),
  rows: fc.array(plain({ view: fc.nat(modelViews.length - 1), row }), { maxLength: 3 }),
});

const start: fc.Arbitrary<readonly StartRecord[]> = fc
  .tuple(...keys.map((one) => fc.option(startRecord.map((record) => ({ ...record, key: one })))))
  .map((records) => records.filter((record) => record !== null));

/** Where and when a message comes: once or twice, the same writer or another. */
const delivery = fc.array(plain({ writer: fc.nat(writers - 1), place: fc.nat(100) }), {
  minLength: 1,
  maxLength: 2,
});

export const historyArbitrary: fc.Arbitrary<History> = plain({
  start,
  deliveredMessages: fc.array(plain({ message, delivery }), { minLength: 1, maxLength: messagesMax }),
  batch: fc.integer({ min: 1, max: batchMax }),
  outages: fc.array(plain({ command: fc.nat(60), isDone: fc.boolean() }), { maxLength: 2 }),
  readsAtMs: fc.array(fc.constantFrom(0, 10, 15, 20, 40), { maxLength: 3 }),
}).map(({ deliveredMessages, batch, ...history }) => ({
  ...history,
  messages: deliveredMessages.map((one) => one.message),
  deliveries: queuesOf(
    deliveredMessages.map((one) => one.delivery),
    batch,
  ),
}));

interface Delivery {
  readonly writer: number;
  readonly place: number;
}

function queuesOf(deliveries: readonly (readonly Delivery[])[], batch: number): number[][][] {
  return Array.from({ length: writers }, (_, writer) => {
    const queue = deliveries
      .flatMap((all, index) => all.map((one) => ({ ...one, index })))
      .filter((one) => one.writer === writer)
      .sort((a, b) => a.place - b.place)
      .map((one) => one.index);
    return Array.from({ length: Math.ceil(queue.length / batch) }, (_, i) => queue.slice(i * batch, (i + 1) * batch));
  });
}
