import { decodePayload, type Encoding } from "@tributary/shared/codec/json-or-msgpack";
import { asTributaryError } from "@tributary/shared/contracts/errors";
import type { ReadReply } from "@tributary/shared/contracts/read";
import { createGate } from "@tributary/shared/runtime/concurrency-gate";
import type { Logger } from "@tributary/shared/runtime/logger";
import type { ReadCounters } from "../metrics.ts";
import { type ReadContext, readFeatures } from "./read-features.ts";

export interface ReadAnswer {
  readonly reply: ReadReply;
  /** The request's. */
  readonly encoding: Encoding;
}

/** @param deadlineMs real epoch ms after which nobody waits */
export type AnswerRead = (body: Uint8Array, deadlineMs: number) => Promise<ReadAnswer>;

/** The one way in, for NATS and HTTP alike: bounded, counted. */
export function createAnswerRead(
  context: ReadContext,
  options: { readonly concurrencyMax: number; readonly counters: ReadCounters; readonly logger: Logger },
): AnswerRead {
  const gate = createGate(options.concurrencyMax, "reads");
  return async (body, deadlineMs) => {
    try {
      const { value, encoding } = decodePayload(body);
      const reply = await gate(() => readFeatures(context, value, deadlineMs));
      options.counters.reads += 1;
      return { reply, encoding };
    } catch (thrown) {
      options.counters.errors += 1;
      if (asTributaryError(thrown).code === "INTERNAL") options.logger.error({ err: thrown }, "a read failed");
      throw thrown;
    }
  };
}
