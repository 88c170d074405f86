import { setTimeout as sleep } from "node:timers/promises";
import { asTributaryError } from "@tributary/shared/contracts/errors";
import type { BatchRunReply, BatchRunStatus, BatchStatus } from "@tributary/shared/contracts/status";
import { subjects } from "@tributary/shared/contracts/subjects";
import type { Connection } from "@tributary/shared/messaging/contract";
import { askJson } from "./positions.ts";

/** Asks for a run and follows it to its end; asks again when the runner was killed in between, as an operator would. */
export async function runBatch(
  connection: Connection,
  job: { view: string; intervalEndMs: number; timeoutMs?: number; onProgress?: (status: BatchRunStatus) => void },
): Promise<BatchRunStatus> {
  const deadline = Date.now() + (job.timeoutMs ?? 120_000);
  while (Date.now() < deadline) {
    try {
      const reply = await askJson<BatchRunReply>(connection, subjects.batchRun, {
        view: job.view,
        intervalEndMs: job.intervalEndMs,
      });
      const status = await follow(connection, reply, { ...job, deadline });
      if (status !== undefined) return status;
    } catch (error) {
      const { code, retryable, message } = asTributaryError(error);
      if (!retryable) throw new Error(`batch run of ${job.view}: ${code} ${message}`);
    }
    await sleep(200);
  }
  throw new Error(`batch run of ${job.view} did not end in time`);
}

/** Undefined: the runner does not know the request any more (it was restarted). */
async function follow(
  connection: Connection,
  reply: BatchRunReply,
  job: { deadline: number; onProgress?: (status: BatchRunStatus) => void },
): Promise<BatchRunStatus | undefined> {
  while (Date.now() < job.deadline) {
    const { runs } = await askJson<BatchStatus>(connection, subjects.batchStatus, { view: reply.view });
    const run = runs.find((one) => one.request === reply.request);
    if (run === undefined) return undefined;
    job.onProgress?.(run);
    if (run.phase === "published") return run;
    if (run.phase === "failed")
      throw new Error(`batch run of ${reply.view} failed: ${run.error?.code} ${run.error?.message}`);
    await sleep(50);
  }
  return undefined;
}
