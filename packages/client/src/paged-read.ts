import { setTimeout as pause } from "node:timers/promises";
import { TributaryError } from "@tributary/shared/contracts/errors";
import type { ReadReply } from "@tributary/shared/contracts/read";
import { joinReplies } from "./join-replies.ts";
import type { PageSize } from "./page-sizes.ts";
import type { RequestRow } from "./tributary.ts";

/** Pages of one read that are asked for at the same time: the others of the program want their turn too. */
const pagesAtOnce = 8;
const catalogPauseMs = 50;

type Rows = readonly RequestRow[];

export interface PagedRead {
  readonly keys: Rows;
  readonly timeoutMs: number;
  /** Rows of a page at the beginning; hears which fitted in the end. */
  readonly size: PageSize;
  readonly readPage: (keys: Rows, timeoutMs: number) => Promise<ReadReply>;
}

/**
 * A read of more keys than one request takes, or than fit into one reply, as one reply in the order of the keys. A page that is
 * refused as too large is halved, down to a single row. It never mixes two catalog versions or store epochs (L4): where the
 * pages differ in them all are asked again, while the deadline allows.
 * @throws TributaryError STALE_CATALOG when the pages differed to the end, LIMIT_EXCEEDED when a single row is too large
 */
export async function readInPages({ keys, timeoutMs, size, readPage }: PagedRead): Promise<ReadReply> {
  const deadline = performance.now() + timeoutMs;
  const read = (page: Rows) => readPage(page, Math.max(1, deadline - performance.now()));
  for (;;) {
    const replies = await readFitting(keys, size, read);
    const [first] = replies;
    if (first !== undefined && replies.length === 1) return first;
    if (areOfOneCatalog(replies)) return joinReplies(replies);
    if (performance.now() + catalogPauseMs >= deadline) throw mixed(replies);
    await pause(catalogPauseMs);
  }
}

/** Rows to ask for, and once they came their reply. */
interface Page {
  readonly keys: Rows;
  readonly reply?: ReadReply;
}

/** The pages' replies, in the order of the keys. */
async function readFitting(keys: Rows, size: PageSize, read: (keys: Rows) => Promise<ReadReply>): Promise<ReadReply[]> {
  let rowsMax = size.rows;
  const readPage = async (page: Page): Promise<readonly Page[]> => {
    if (page.reply !== undefined) return [page];
    // One that was refused speaks for those that are still to be asked.
    if (page.keys.length > rowsMax) return pagesOf(page.keys, rowsMax);
    try {
      return [{ ...page, reply: await read(page.keys) }];
    } catch (error) {
      if (page.keys.length === 1 || !isTooLarge(error)) throw error;
      rowsMax = Math.min(rowsMax, Math.ceil(page.keys.length / 2));
      return pagesOf(page.keys, rowsMax);
    }
  };
  let pages = pagesOf(keys, rowsMax);
  while (pages.some((page) => page.reply === undefined)) pages = (await eachInTurn(pages, readPage)).flat();
  // Fewer keys than a page takes say nothing of how many it could take.
  if (keys.length >= rowsMax) size.fitted(rowsMax);
  return pages.flatMap(({ reply }) => reply ?? []);
}

function pagesOf(keys: Rows, rowsMax: number): readonly Page[] {
  // A read of no keys is asked as well: the store says what is wrong with it.
  const count = Math.max(1, Math.ceil(keys.length / rowsMax));
  return Array.from({ length: count }, (_, page) => ({ keys: keys.slice(page * rowsMax, (page + 1) * rowsMax) }));
}

/** The reply; or the request, whose keys may be long: fewer rows help both. */
function isTooLarge(error: unknown): boolean {
  return error instanceof TributaryError && error.code === "LIMIT_EXCEEDED";
}

/** Bounded at once; nothing further is begun once one has failed. */
async function eachInTurn<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  const rest = items.entries();
  let isFailed = false;
  const worker = async () => {
    for (const [place, item] of rest) {
      if (isFailed) return;
      results[place] = await work(item).catch((error: unknown) => {
        isFailed = true;
        throw error;
      });
    }
  };
  await Promise.all(Array.from({ length: Math.min(pagesAtOnce, items.length) }, worker));
  return results;
}

function areOfOneCatalog([first, ...others]: readonly ReadReply[]): boolean {
  return others.every((one) => one.catalogVersion === first?.catalogVersion && one.epoch === first.epoch);
}

function mixed(replies: readonly ReadReply[]): TributaryError {
  const versions = [...new Set(replies.map((reply) => reply.catalogVersion))];
  return new TributaryError("STALE_CATALOG", `the stores answered by catalog versions ${versions.join(" and ")}`);
}
