import type { Lane } from "@tributary/shared/contracts/catalog";
import { bucketTable, laneStream, streamTable } from "@tributary/shared/contracts/topology";
import type { Connection } from "@tributary/shared/messaging/contract";
import { readStoredMessage } from "@tributary/shared/messaging/stream-message";
import { readStreamState } from "@tributary/shared/messaging/stream-state";

/** A stream with messages from before the erasure: they may name the key, and cannot be rewritten. */
export interface HeldStream {
  readonly stream: string;
  /** Of its first message. */
  readonly since: string;
  /** When the last such message goes by its age; null where the stream keeps messages until it fills up. */
  readonly until: string | null;
}

/** The streams that carry what these lanes carry, and the letters that any of them may have set aside. */
export async function readHeldStreams(
  connection: Connection,
  lanes: ReadonlySet<Lane>,
  requestedAtMs: number,
): Promise<HeldStream[]> {
  const names = [
    ...[...lanes].map((lane): string => laneStream[lane]),
    ...(lanes.has("stream") ? ["TRIB_EVENTS", "TRIB_KEYED"] : []),
    ...(lanes.has("direct") ? ["KV_TRIB_IDEMPOTENCY"] : []),
    "TRIB_DLQ",
  ];
  const held = await Promise.all(names.map((stream) => readHeld(connection, stream, requestedAtMs)));
  return held.flat();
}

async function readHeld(connection: Connection, stream: string, requestedAtMs: number): Promise<HeldStream[]> {
  const { firstSequence, messages } = await readStreamState(connection, stream);
  const first = messages === 0 ? undefined : await readStoredMessage(connection, stream, { seq: firstSequence });
  if (first === undefined || first.timestampMs > requestedAtMs) return [];
  const maxAgeMs = maxAgeOf(stream);
  const until = maxAgeMs === 0 ? null : new Date(requestedAtMs + maxAgeMs).toISOString();
  return [{ stream, since: new Date(first.timestampMs).toISOString(), until }];
}

/** 0 = none. */
function maxAgeOf(stream: string): number {
  const bucket = bucketTable.find(({ name }) => `KV_${name}` === stream);
  return bucket?.ttlMs ?? streamTable.find(({ name }) => name === stream)?.maxAgeMs ?? 0;
}
