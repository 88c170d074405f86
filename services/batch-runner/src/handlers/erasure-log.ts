import type { Cursor, DeliveredMessage } from "@tributary/shared/messaging/contract";
import { readErasureEntry } from "@tributary/shared/messaging/erasure-bucket";
import type { Logger } from "@tributary/shared/runtime/logger";
import { ErasureBook } from "../core/erasure-book.ts";

/** What the bucket of erasures says. */
export interface ErasureLog {
  /** The book with all that was asked for before this call. @throws TributaryError UNAVAILABLE, MISSING_RESOURCE */
  read(): Promise<ErasureBook>;
  /**
   * The book with every erasure of an event time before this instant, epoch ms: an erasure has the instant at which it was asked
   * for and more, so one that is not known covers all that a run of an interval up to this instant publishes. Asks the broker
   * only when the book was read before that instant.
   * @throws TributaryError UNAVAILABLE, MISSING_RESOURCE
   */
  upTo(eventTime: number): Promise<ErasureBook>;
  close(): Promise<void>;
}

export interface LogOptions {
  /** Every entry of the bucket, from the first: erasures, receipts and lifts. */
  readonly open: () => Promise<Cursor>;
  readonly service: string;
  readonly logger: Logger;
  /** The clock that erasures go by. */
  readonly now: () => number;
}

const messagesMax = 256;
const waitMs = 20;

export function openErasureLog(options: LogOptions): ErasureLog {
  const book = new ErasureBook();
  let cursor: Cursor | undefined;
  let reading: Promise<unknown> = Promise.resolve();
  let readAt = Number.NEGATIVE_INFINITY;
  const catchUp = async (): Promise<ErasureBook> => {
    const now = options.now();
    try {
      cursor ??= await options.open();
      do note(book, options, await cursor.next(messagesMax, waitMs));
      while (!(await cursor.drained()));
      readAt = now;
      return book;
    } catch (error) {
      // From the first entry on: the bucket may have been made anew.
      await cursor?.close().catch(() => undefined);
      cursor = undefined;
      throw error;
    }
  };
  const read = (): Promise<ErasureBook> => {
    const next = reading.then(catchUp);
    reading = next.catch(() => undefined);
    return next;
  };
  return {
    read,
    upTo: async (eventTime) => (eventTime <= readAt ? book : read()),
    close: async () => {
      await reading;
      await cursor?.close();
    },
  };
}

function note(book: ErasureBook, { service, logger }: LogOptions, messages: readonly DeliveredMessage[]): void {
  for (const message of messages) {
    const entry = readErasureEntry(message);
    if (entry?.kind === "receipt" && entry.service === service) book.receive(entry.id);
    if (entry?.kind === "lift") book.lift(entry.id);
    if (entry?.kind !== "erasure") continue;
    const { id, erasure } = entry;
    if (erasure === undefined) logger.error({ id }, "an erasure is not of a form this build reads");
    else book.add(erasure);
  }
}
