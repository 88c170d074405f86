import { setTimeout as pause } from "node:timers/promises";
import { asTributaryError, fromWireError } from "@tributary/shared/contracts/errors";
import type { BatchRepublishReply } from "@tributary/shared/contracts/republish";
import type { BatchRunStatus, BatchStatus } from "@tributary/shared/contracts/status";
import { subjects } from "@tributary/shared/contracts/subjects";
import type { Connection } from "@tributary/shared/messaging/contract";
import { askJson } from "../ask-json.ts";
import { insist } from "./insist.ts";
import type { StoreWait } from "./lane-state.ts";
import type { Sent } from "./rebuild-result.ts";

const pollMs = 200;
/** Unseen for so long, a request went with its runner: one of several runners answers, each knows its own. */
const lostMs = 5_000;

/** What the batch-runner sends again of a view, followed to its end, and why it is not all, if so. */
export async function rebuildBatchView(wait: StoreWait, view: string, partitions: number): Promise<Sent> {
  try {
    const { counts, isUnpublished } = await republish(wait, view);
    const all = Array.from({ length: partitions }, (_, partition) => partition);
    return { rows: counts.published, partitions: all, ...(isUnpublished && { isUnpublished }) };
  } catch (error) {
    return { rows: 0, partitions: [], error: asTributaryError(error) };
  }
}

/** Asked again where a runner was stopped, or another one holds the view. @throws TributaryError DEADLINE and the runner's own */
async function republish(wait: StoreWait, view: string): Promise<BatchRunStatus> {
  const { connection, deadline } = wait;
  for (;;) {
    const reply = await insist(deadline, () =>
      askJson<BatchRepublishReply>(connection, subjects.batchRepublish, { view }),
    );
    const ended = await follow(wait, reply);
    if (ended?.phase === "published") return ended;
    const error = ended && fromWireError(ended.error ?? { code: "INTERNAL", message: `"${view}" was not sent` });
    if (error !== undefined && !error.retryable) throw error;
    deadline.check(`sending view "${view}": ${error?.message ?? "the runner was restarted"}`);
  }
}

/** Undefined: nobody knows of it any more. @throws TributaryError DEADLINE */
async function follow(
  { connection, deadline, progress }: StoreWait,
  { view, request }: BatchRepublishReply,
): Promise<BatchRunStatus | undefined> {
  let seenAt = performance.now();
  for (;;) {
    const found = await statusOf(connection, { view, request });
    if (found?.phase === "published" || found?.phase === "failed") return found;
    if (found !== undefined) seenAt = performance.now();
    if (performance.now() - seenAt > lostMs) return undefined;
    const { done, total } = found?.progress ?? { done: 0, total: 0 };
    progress.update({ what: `${view}: sending`, ...(total > 0 && { done, total, unit: "rows" }) });
    deadline.check(`sending view "${view}", ${done} of ${total} rows so far`);
    await pause(pollMs);
  }
}

/** Undefined also while nobody answers. */
async function statusOf(
  connection: Connection,
  { view, request }: Pick<BatchRepublishReply, "view" | "request">,
): Promise<BatchRunStatus | undefined> {
  try {
    const { runs } = await askJson<BatchStatus>(connection, subjects.batchStatus, { view });
    return runs.find((run) => run.request === request);
  } catch (error) {
    if (!asTributaryError(error).retryable) throw error;
    return undefined;
  }
}
