import { randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { decodePayload, encodePayload } from "@tributary/shared/codec/json-or-msgpack";
import { asTributaryError, TributaryError } from "@tributary/shared/contracts/errors";
import type { StreamRepublishReply, StreamRepublishRequest } from "@tributary/shared/contracts/republish";
import { subjects } from "@tributary/shared/contracts/subjects";
import { request } from "@tributary/shared/messaging/request";
import type { StoreWait } from "./lane-state.ts";
import type { Sent } from "./rebuild-result.ts";

/** What became of the partitions of the stream lane. */
export interface StreamSent {
  /** View → rows, over all partitions. */
  readonly rows: ReadonlyMap<string, number>;
  /** View → partitions that were sent whole. */
  readonly partitions: ReadonlyMap<string, readonly number[]>;
  /** Partition → why it was not sent. */
  readonly failures: ReadonlyMap<number, TributaryError>;
}

/** Asked at once. */
const partitionsAtOnce = 4;
const answerMs = 10_000;
const againMs = 500;
/** A partition has an owner again within its lease's time; one that nobody speaks for so long has none. */
const silenceMs = 30_000;

/** Asks every partition's owner, the same question until it is done. Absent `view`: every stream view. */
export async function rebuildStream(
  wait: StoreWait,
  { partitions, view }: { readonly partitions: number; readonly view: string | undefined },
): Promise<StreamSent> {
  const question: StreamRepublishRequest = { id: randomUUID(), ...(view !== undefined && { view }) };
  const found: (StreamRepublishReply | TributaryError)[] = [];
  let [next, done] = [0, 0];
  const work = async (): Promise<void> => {
    while (next < partitions) {
      const partition = next++;
      found[partition] = await askOwner(wait, partition, question).catch(asTributaryError);
      done += 1;
      wait.progress.update({ what: "stream: sending", done, total: partitions, unit: "partitions" });
    }
  };
  await Promise.all(Array.from({ length: Math.min(partitionsAtOnce, partitions) }, work));
  return sumOf(found);
}

/** @throws TributaryError UNAVAILABLE when nobody owns it, DEADLINE, and the owner's own */
async function askOwner(
  { connection, deadline }: StoreWait,
  partition: number,
  question: StreamRepublishRequest,
): Promise<StreamRepublishReply> {
  let heardAt = performance.now();
  for (;;) {
    try {
      const timeoutMs = Math.max(1, Math.min(answerMs, deadline.leftMs));
      const subject = subjects.streamRepublish(partition);
      const reply = await request(connection, subject, encodePayload(question, "json"), { timeoutMs });
      return decodePayload(reply).value as StreamRepublishReply;
    } catch (thrown) {
      const error = asTributaryError(thrown);
      if (!error.retryable) throw error;
      if (!isSilence(error)) heardAt = performance.now();
      if (performance.now() - heardAt > silenceMs)
        throw new TributaryError("UNAVAILABLE", "no stream-processor says that it owns it");
      deadline.check(`not sent yet: ${error.message}`);
    }
    await pause(againMs);
  }
}

/** Ours, as against an owner's word that it is not done yet. */
function isSilence({ cause }: TributaryError): boolean {
  return cause !== undefined;
}

/** What of it is a view's, and of the partitions that were not sent what may be said in one line. */
export function sentOfView({ rows, partitions, failures }: StreamSent, view: string): Sent {
  const [first] = failures.values();
  const numbers = [...failures.keys()].join(", ");
  const error = first && new TributaryError(first.code, `partitions ${numbers} of the stream lane: ${first.message}`);
  return { rows: rows.get(view) ?? 0, partitions: partitions.get(view) ?? [], ...(error && { error }) };
}

function sumOf(found: readonly (StreamRepublishReply | TributaryError)[]): StreamSent {
  const rows = new Map<string, number>();
  const partitions = new Map<string, number[]>();
  const failures = new Map<number, TributaryError>();
  for (const [partition, one] of found.entries()) {
    if (one instanceof TributaryError) {
      failures.set(partition, one);
      continue;
    }
    for (const [view, count] of Object.entries(one.rows)) {
      rows.set(view, (rows.get(view) ?? 0) + count);
      partitions.set(view, [...(partitions.get(view) ?? []), partition]);
    }
  }
  return { rows, partitions, failures };
}
