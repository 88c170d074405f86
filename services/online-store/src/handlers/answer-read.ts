import { decodePayload } from "@tributary/shared/codec/json-or-msgpack";
import { asTributaryError } from "@tributary/shared/contracts/errors";
import { packedColumns } from "@tributary/shared/contracts/read";
import { createGate } from "@tributary/shared/runtime/concurrency-gate";
import type { Logger } from "@tributary/shared/runtime/logger";
import type { AnsweredReply } from "../core/number-columns.ts";
import type { ReplyForm } from "../core/reply-bytes.ts";
import type { ReadCounters } from "../metrics.ts";
import { type ReadContext, readFeatures } from "./read-features.ts";

export interface ReadAnswer {
  readonly reply: AnsweredReply;
  readonly form: ReplyForm;
}

/** A read as it came in. */
export interface ReadCall {
  readonly body: Uint8Array;
  /** Real epoch ms after which nobody waits. */
  readonly deadlineMs: number;
  /** What it says of columns (`columnsHeader`). */
  readonly columns: string | undefined;
}

export type AnswerRead = (call: ReadCall) => Promise<ReadAnswer>;

/** The one way in, for NATS and HTTP alike: bounded, counted. */
export function createAnswerRead(
  context: ReadContext,
  options: { readonly concurrencyMax: number; readonly counters: ReadCounters; readonly logger: Logger },
): AnswerRead {
  const gate = createGate(options.concurrencyMax, "reads");
  return async ({ body, deadlineMs, columns }) => {
    try {
      const { value, encoding } = decodePayload(body);
      const reply = await gate(() => readFeatures(context, value, { deadlineMs, asNumbers: encoding === "msgpack" }));
      options.counters.reads += 1;
      return { reply, form: { encoding, packed: columns === packedColumns } };
    } catch (thrown) {
      options.counters.errors += 1;
      if (asTributaryError(thrown).code === "INTERNAL") options.logger.error({ err: thrown }, "a read failed");
      throw thrown;
    }
  };
}
