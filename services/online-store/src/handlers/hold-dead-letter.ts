import type { Lane } from "@tributary/shared/contracts/catalog";
import type { ErrorCode } from "@tributary/shared/contracts/errors";
import { parseRowsSubject } from "@tributary/shared/contracts/subjects";
import type { DeliveredMessage } from "@tributary/shared/messaging/contract";
import type { Progress } from "../adapters/redis-progress.ts";

/**
 * Before a message is set aside, a hold keeps every later confirmation of its view and partition from counting (C4): the
 * rows in it are missing. A subject that is of no partition holds nothing back.
 */
export function holdDeadLetter(
  progress: Progress,
  where: { readonly lane: Lane; readonly incarnation: number },
): (message: DeliveredMessage, code: ErrorCode) => Promise<void> {
  return async ({ subject, sequence }, code) => {
    const parts = parseRowsSubject(subject);
    if (parts === undefined) return;
    await progress.addHolds([{ ...where, sequence, view: parts.view, partition: parts.partition, why: code }]);
  };
}
