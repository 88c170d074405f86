import { setTimeout as pause } from "node:timers/promises";
import type { Lane, View } from "@tributary/shared/contracts/catalog";
import { asTributaryError } from "@tributary/shared/contracts/errors";
import type { LaneFloor, StoreStatus } from "@tributary/shared/contracts/status";
import { subjects } from "@tributary/shared/contracts/subjects";
import { laneStream } from "@tributary/shared/contracts/topology";
import type { Connection } from "@tributary/shared/messaging/contract";
import { readStreamState } from "@tributary/shared/messaging/stream-state";
import { askJson } from "../ask-json.ts";
import type { Progress } from "../progress.ts";
import type { Deadline } from "./insist.ts";

/** What the stores say of the lanes while a rebuild goes on. */
export interface StoreWait {
  readonly connection: Connection;
  readonly deadline: Deadline;
  readonly progress: Progress;
}

/** A Redis that was emptied just now is seen at the store's next look. */
const settleMs = 500;
const pollMs = 200;
/** For a look that began before the last row was applied. */
const looksMs = 2_000;

/** Waits until the store has an epoch and has read again what the streams hold. @throws TributaryError UNAVAILABLE, DEADLINE */
export async function awaitReplays(wait: StoreWait): Promise<void> {
  await pause(settleMs);
  const { lanes } = await askStatus(wait.connection);
  await awaitFloors(wait, "reading again what the streams hold", positionsOf(lanes));
}

/** Waits until all that the lanes' streams hold now is applied. @throws TributaryError UNAVAILABLE, DEADLINE */
export async function awaitApplied(wait: StoreWait, lanes: readonly Lane[]): Promise<void> {
  const ends = await Promise.all(
    lanes.map(async (lane) => {
      const { incarnation, lastSequence } = await readStreamState(wait.connection, laneStream[lane]);
      return { lane, incarnation, lastSequence };
    }),
  );
  await awaitFloors(wait, "applying", ends);
}

type LaneEnd = Pick<LaneFloor, "lane" | "incarnation" | "lastSequence">;

function positionsOf(lanes: readonly LaneFloor[]): readonly LaneEnd[] {
  return lanes.map(({ lane, incarnation, lastSequence }) => ({ lane, incarnation, lastSequence }));
}

async function awaitFloors(
  { connection, deadline, progress }: StoreWait,
  what: string,
  ends: readonly LaneEnd[],
): Promise<void> {
  let why = "the store does not answer";
  let [first, left] = [-1, -1];
  while (left !== 0) {
    deadline.check(`${what}: ${why}`);
    const status = await askStatus(connection).catch((error: unknown) => {
      if (!asTributaryError(error).retryable) throw error;
      return undefined;
    });
    if (status !== undefined) {
      left = status.epoch === "" ? -1 : leftOf(status, ends);
      why = reasonOf(status, left);
      if (left > first) first = left;
      if (left > 0) progress.update({ what, done: first - left, total: first, unit: "messages" });
    }
    if (left !== 0) await pause(pollMs);
  }
}

/** Messages that are still to be applied. */
function leftOf({ lanes }: StoreStatus, ends: readonly LaneEnd[]): number {
  const left = ends.map((end) => {
    const found = lanes.find(({ lane, incarnation }) => lane === end.lane && incarnation === end.incarnation);
    if (found?.replay !== undefined) return Math.max(1, found.replay.until - found.replay.position);
    return Math.max(0, end.lastSequence - (found?.floor ?? 0));
  });
  return left.reduce((sum, count) => sum + count, 0);
}

function reasonOf({ epoch, redis, lanes }: StoreStatus, left: number): string {
  if (redis === null) return "Redis does not answer the store";
  if (epoch === "") return "the store has not seen yet what Redis holds";
  const waiting = lanes.find((lane) => lane.waiting !== undefined)?.waiting;
  return waiting === undefined ? `${left} messages are not applied yet` : `writes wait: ${waiting.why}`;
}

/** What is missing of a view, for whatever reason. */
export interface Lack {
  /** Partitions that Redis lost and nothing has brought back. */
  readonly missing: readonly number[];
  /** Partitions of which a message was set aside. */
  readonly setAside: readonly number[];
}

export interface StoreVerdict {
  readonly epoch: string;
  readonly lacks: ReadonlyMap<string, Lack>;
}

/** What the store still lacks of each view. @throws TributaryError UNAVAILABLE */
export async function readLacks({ connection }: StoreWait, views: readonly View[]): Promise<StoreVerdict> {
  const until = performance.now() + looksMs;
  for (;;) {
    const { epoch, lanes } = await askStatus(connection);
    const lacks = new Map(views.map((view) => [view.name, lackOf(view, lanes)] as const));
    const isWhole = [...lacks.values()].every(({ missing, setAside }) => missing.length + setAside.length === 0);
    if (isWhole || performance.now() >= until) return { epoch, lacks };
    await pause(pollMs);
  }
}

function lackOf({ lane, name }: View, lanes: readonly LaneFloor[]): Lack {
  const found = lanes.find((one) => one.lane === lane);
  // An older store tells gaps of the whole lane alone.
  const missing = found?.gapViews === undefined ? found?.gaps : found.gapViews[name];
  return { missing: missing ?? [], setAside: found?.heldViews?.[name] ?? [] };
}

function askStatus(connection: Connection): Promise<StoreStatus> {
  return askJson<StoreStatus>(connection, subjects.storeStatus);
}
