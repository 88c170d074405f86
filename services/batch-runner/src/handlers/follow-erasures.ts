import { setTimeout as pause } from "node:timers/promises";
import type { Erasure } from "@tributary/shared/contracts/erasure";
import { asTributaryError } from "@tributary/shared/contracts/errors";
import type { Bucket } from "@tributary/shared/messaging/contract";
import { giveReceipt } from "@tributary/shared/messaging/erasure-bucket";
import type { Logger } from "@tributary/shared/runtime/logger";
import type { ErasureBook } from "../core/erasure-book.ts";
import type { EntityViews } from "./entity-views.ts";
import type { ErasureLog } from "./erasure-log.ts";
import type { RunQueue } from "./run-queue.ts";

/**
 * Carries out erasures in the batch lane: purges every view that ever had the entity, each under its lease, and gives the
 * receipt behind the last. So no run that began before the erasure was asked for is still on its way then, whoever runs it.
 * Several runners may do it at once: the lease of a view lets one after the other, and the second finds nothing.
 */
export interface FollowOptions {
  readonly bucket: Bucket;
  readonly log: ErasureLog;
  readonly views: EntityViews;
  readonly queue: Pick<RunQueue, "purge">;
  readonly service: string;
  readonly instance: string;
  readonly logger: Logger;
  /** Real ms between looks at the bucket, and before what failed is tried again. */
  readonly everyMs: number;
}

/** Purged together: a file is written anew once for all of them. */
const atOnceMax = 1_000;

export function followErasures(options: FollowOptions): { stop(): Promise<void> } {
  const stopping = new AbortController();
  const running = follow(options, stopping.signal);
  return {
    stop: async () => {
      stopping.abort();
      await running;
    },
  };
}

/** The same trouble again is not told again. */
async function follow(options: FollowOptions, signal: AbortSignal): Promise<void> {
  let trouble = "";
  while (!signal.aborted) {
    try {
      await round(options, signal);
      trouble = "";
    } catch (error) {
      const { code, message } = asTributaryError(error);
      // Another runner holds the view: it is waited for.
      if (message !== trouble && code !== "RUN_CONFLICT" && !signal.aborted)
        options.logger.warn({ code }, `erasures wait: ${message}`);
      trouble = message;
    }
    await pause(options.everyMs, undefined, { signal }).catch(() => undefined);
  }
}

async function round(options: FollowOptions, signal: AbortSignal): Promise<void> {
  const book = await options.log.read();
  const pending = book.pending(atOnceMax);
  if (pending.length === 0) return;
  await options.views.refresh();
  const troubles: unknown[] = [];
  for (const entity of new Set(pending.map((erasure) => erasure.entity))) {
    const erasures = pending.filter((erasure) => erasure.entity === entity);
    // One entity's trouble is not another's.
    if (!signal.aborted) await carryOut(options, book, erasures).catch((error: unknown) => troubles.push(error));
  }
  if (troubles.length > 0) throw troubles[0];
}

async function carryOut(
  { queue, views, bucket, ...by }: FollowOptions,
  book: ErasureBook,
  erasures: readonly Erasure[],
): Promise<void> {
  for (const view of views.of(erasures[0]?.entity ?? "")) await queue.purge(view, erasures);
  for (const { id } of erasures) {
    await giveReceipt(bucket, id, by);
    book.receive(id);
  }
}
