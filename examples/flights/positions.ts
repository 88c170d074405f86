import { setTimeout as sleep } from "node:timers/promises";
import type { StoreStatus, StreamStatus } from "@tributary/shared/contracts/status";
import { subjects } from "@tributary/shared/contracts/subjects";
import type { Connection } from "@tributary/shared/messaging/contract";
import { request } from "@tributary/shared/messaging/request";
import { readStreamState } from "@tributary/shared/messaging/stream-state";

/** Asks a status endpoint; its reply is JSON. */
export async function askJson<T>(connection: Connection, subject: string, question: object = {}): Promise<T> {
  const reply = await request(connection, subject, Buffer.from(JSON.stringify(question)), { timeoutMs: 5_000 });
  return JSON.parse(new TextDecoder().decode(reply)) as T;
}

/**
 * Waits, by positions and never by time, until everything published so far is routed, applied to windows, evaluated at the
 * paused instant, acknowledged, and merged into the store.
 */
export async function settled(connection: Connection, instantMs: number, timeoutMs = 60_000): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  let missing = "nothing answered";
  while (Date.now() < deadline) {
    missing = await missingAt(connection, instantMs).catch((error: unknown) => String(error));
    if (missing === "") return;
    await sleep(50);
  }
  throw new Error(`not settled at ${new Date(instantMs).toISOString()} within ${timeoutMs} ms: ${missing}`);
}

/** What is still behind, as text; empty when nothing is. */
async function missingAt(connection: Connection, instantMs: number): Promise<string> {
  const events = await readStreamState(connection, "TRIB_EVENTS");
  const before = await askJson<StreamStatus>(connection, subjects.streamStatus);
  const behind = before.routes.find((route) => route.sequence < events.lastSequence);
  if (before.routes.length === 0 || behind) return `route at ${behind?.sequence ?? 0} of ${events.lastSequence}`;
  const keyed = await readStreamState(connection, "TRIB_KEYED");
  // Everything routed lies at or below this; marks follow it into every partition within a second.
  const status = await waitForPartitions(connection, keyed.lastSequence);
  const late = status.partitions.find((one) => one.evaluatedAtMs < instantMs || one.unpublished > 0);
  if (late) return `partition ${late.partition}: evaluated at ${late.evaluatedAtMs}, ${late.unpublished} unpublished`;
  return storeIsBehind(connection);
}

async function waitForPartitions(connection: Connection, sequence: number): Promise<StreamStatus> {
  for (let tries = 0; tries < 200; tries++) {
    const status = await askJson<StreamStatus>(connection, subjects.streamStatus);
    if (status.partitions.length > 0 && status.partitions.every((one) => one.applied >= sequence)) return status;
    await sleep(50);
  }
  throw new Error(`a partition has not applied keyed sequence ${sequence}`);
}

async function storeIsBehind(connection: Connection): Promise<string> {
  const rows = {
    batch: await readStreamState(connection, "TRIB_ROWS_BATCH"),
    stream: await readStreamState(connection, "TRIB_ROWS_STREAM"),
    direct: await readStreamState(connection, "TRIB_ROWS_DIRECT"),
  };
  for (let tries = 0; tries < 200; tries++) {
    const store = await askJson<StoreStatus>(connection, subjects.storeStatus);
    if (store.lanes.length === 3 && store.lanes.every((one) => one.floor >= rows[one.lane].lastSequence)) return "";
    await sleep(50);
  }
  return "the store has not applied every row";
}

/** Waits until the clock of the stream lane and of the store is as told; a service that is being restarted is waited for. */
export async function clocksFollow(connection: Connection, follows: (nowMs: number) => boolean): Promise<void> {
  for (const subject of [subjects.streamStatus, subjects.storeStatus]) {
    for (let tries = 0; ; tries++) {
      const status = await askJson<{ nowMs: number }>(connection, subject).catch(() => undefined);
      if (status !== undefined && follows(status.nowMs)) break;
      if (tries === 600) throw new Error(`${subject} does not follow the clock: it says ${status?.nowMs}`);
      await sleep(50);
    }
  }
}
