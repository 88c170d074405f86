import { setImmediate as nextTurn } from "node:timers/promises";
import { encodeChunk } from "@tributary/shared/codec/chunk-codec";
import type { Catalog } from "@tributary/shared/contracts/catalog";
import type { Chunk } from "@tributary/shared/contracts/chunk";
import { partitionOf, partitionToken } from "@tributary/shared/contracts/entity-key";
import { TributaryError } from "@tributary/shared/contracts/errors";
import type { DeliveredMessage } from "@tributary/shared/messaging/contract";
import { expect, it } from "vitest";
import { type ApplyContext, applyChunks } from "./apply-chunks.ts";

const partition = partitionOf("ORD", 32);
const catalog: Catalog = {
  format: 1,
  version: 1,
  fingerprint: "",
  partitions: 32,
  entities: { airport: { name: "airport", keys: [{ name: "code", type: "string" }] } },
  sources: {},
  views: {
    congestion: {
      lane: "direct",
      name: "congestion",
      version: 1,
      entity: "airport",
      features: [{ name: "score", type: "float64" }],
      freshnessMs: 1,
      ttlMs: null,
      producers: [],
    },
  },
  featureServices: {},
};
const header = {
  lane: "direct",
  view: "congestion",
  viewVersion: 1,
  catalogVersion: 1,
  partition,
  producer: "test",
} as const;
const rows: Chunk = {
  ...header,
  kind: "rows",
  keys: ["ORD"],
  eventTimes: [500],
  columns: [{ feature: "score", cells: [0.5] }],
};
const confirmation: Chunk = { ...header, kind: "confirm", confirmedAtMs: 600 };

function delivered(chunk: Chunk, sequence: number): DeliveredMessage {
  const subject = `trib.v1.rows.direct.${partitionToken(partition)}.congestion`;
  return { subject, sequence, data: encodeChunk(chunk), headers: {}, stream: "rows", timestampMs: 1, deliveries: 1 };
}

/** A store whose Redis answers writes when it is told to; what happens is written down in its order. */
function startApplying(replace: () => Promise<string[]>) {
  const happened: string[] = [];
  const context = {
    catalog: { current: catalog },
    incarnation: 1,
    records: {
      shapes: { find: () => undefined, learn: async () => undefined, register: async () => undefined },
      read: async (keys: readonly string[]) => keys.map(() => null),
      replace: () => {
        happened.push("rows sent");
        return replace();
      },
    },
    progress: {
      addPending: async (entries: readonly unknown[]) => void happened.push(`${entries.length} pending`),
      liftHolds: async () => undefined,
    },
    erasedAt: () => undefined,
    counters: { chunks: 0, rows: 0, confirmations: 0, conflicts: 0, lagMs: 0 },
    outage: { current: undefined, began: () => happened.push("outage"), ended: () => undefined },
    opened: Promise.resolve(),
  } as unknown as ApplyContext;
  const outcomes = applyChunks(context, [delivered(rows, 5), delivered(confirmation, 6)]);
  return { happened, outcomes: outcomes.finally(() => happened.push("outcomes")) };
}

it("nothing is acknowledged, and no confirmation pending, before the rows are in Redis (C4)", async () => {
  let answer = (_conflicts: string[]) => {};
  const answered = new Promise<string[]>((resolve) => {
    answer = resolve;
  });
  const { happened, outcomes } = startApplying(() => answered);
  for (let turn = 0; turn < 100; turn++) await nextTurn();
  expect(happened).toEqual(["rows sent"]);
  answer([]);
  expect(await outcomes).toEqual([{ kind: "ack" }, { kind: "ack" }]);
  expect(happened).toEqual(["rows sent", "1 pending", "outcomes"]);
});

it("nothing of a batch is acknowledged when Redis does not take its rows", async () => {
  const { happened, outcomes } = startApplying(() => Promise.reject(new TributaryError("UNAVAILABLE", "away")));
  expect((await outcomes).map(({ kind }) => kind)).toEqual(["retry", "retry"]);
  expect(happened).toEqual(["rows sent", "outage", "outcomes"]);
});
