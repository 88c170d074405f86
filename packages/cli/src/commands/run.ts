import { setTimeout as wait } from "node:timers/promises";
import { parseTimestamp } from "@tributary/shared/codec/timestamp";
import { fromWireError, TributaryError } from "@tributary/shared/contracts/errors";
import type { BatchRunReply, BatchRunStatus, BatchStatus } from "@tributary/shared/contracts/status";
import { subjects } from "@tributary/shared/contracts/subjects";
import type { Connection } from "@tributary/shared/messaging/contract";
import { askJson } from "../ask-json.ts";
import type { Invocation } from "../command.ts";
import type { CommandResult } from "../output.ts";
import { progressText, type Step } from "../progress-text.ts";
import { withConnection } from "../with-connection.ts";

export interface RunFlags {
  readonly intervalEnd?: string;
}

const pollMs = 200;

export async function run(invocation: Invocation<RunFlags>): Promise<CommandResult> {
  const { args, options, settings } = invocation;
  const intervalEndMs = options.intervalEnd === undefined ? undefined : intervalEndOf(options.intervalEnd);
  const question = { view: args[0], ...(intervalEndMs !== undefined && { intervalEndMs }) };
  return withConnection(settings.natsUrl(), async (connection) => {
    const reply = await askJson<BatchRunReply>(connection, subjects.batchRun, question);
    const status = await follow(connection, reply, invocation);
    const { rows, published, unchanged } = status.counts;
    const text = `run ${status.run} of ${status.view}: ${rows} rows, ${published} published, ${unchanged} unchanged`;
    return { data: status, text };
  });
}

function intervalEndOf(text: string): number {
  const instant = parseTimestamp(/^-?\d+$/.test(text) ? Number(text) : text);
  if (instant !== undefined) return instant;
  throw new TributaryError("BAD_CONFIG", "--interval-end must be epoch milliseconds or RFC 3339 with a zone");
}

async function follow(
  connection: Connection,
  reply: BatchRunReply,
  { output, interruption }: Invocation<RunFlags>,
): Promise<BatchRunStatus> {
  let last = `${reply.view}: asked for`;
  interruption.underWay(() => `${last}; the runner goes on with it: see \`tributary status\``);
  for (;;) {
    const { runs } = await askJson<BatchStatus>(connection, subjects.batchStatus, { view: reply.view });
    const status = runs.find((one) => one.request === reply.request);
    if (!status) throw new TributaryError("UNAVAILABLE", `the runner was restarted; ask for "${reply.view}" again`);
    if (status.phase === "published") return status;
    if (status.phase === "failed") {
      throw fromWireError(status.error ?? { code: "INTERNAL", message: `run ${status.run} failed` });
    }
    const step = stepOf(status);
    last = progressText(step, 0, 0);
    output.progress.update(step);
    await wait(pollMs);
  }
}

/** A step of one piece has nothing to count. */
function stepOf({ view, phase, progress }: BatchRunStatus): Step {
  if (progress === undefined) return { what: `${view}: ${phase}` };
  const { step, done, total } = progress;
  const what = `${view}: ${step}`;
  // Nobody knows how many rows a query has.
  if (total === 0 && done > 0) return { what, done, unit: "rows" };
  if (total <= 1) return { what };
  return { what, done, total, unit: step === "publishing" ? "rows" : "" };
}
