import { setTimeout as pause } from "node:timers/promises";
import { TributaryError } from "@tributary/shared/contracts/errors";
import { limits } from "@tributary/shared/contracts/limits";
import type { ReadColumn, ReadReply } from "@tributary/shared/contracts/read";
import type { RequestRow } from "./tributary.ts";

/** Pages of one read that are asked for at the same time: the others of the program want their turn too. */
const pagesAtOnce = 8;
const catalogPauseMs = 50;

type ReadPage = (keys: readonly RequestRow[], timeoutMs: number) => Promise<ReadReply>;

/**
 * A read of more keys than one request takes, as one reply in the order of the keys. It never mixes two catalog versions or store
 * epochs (L4): where the pages differ in them all are asked again, while the deadline allows.
 * @throws TributaryError STALE_CATALOG when the pages differed to the end
 */
export async function readInPages(
  keys: readonly RequestRow[],
  timeoutMs: number,
  readPage: ReadPage,
): Promise<ReadReply> {
  if (keys.length <= limits.readEntitiesMax) return readPage(keys, timeoutMs);
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const replies = await readAll(pagesOf(keys), (page) => readPage(page, Math.max(1, deadline - performance.now())));
    if (areOfOneCatalog(replies)) return joined(replies);
    if (performance.now() + catalogPauseMs >= deadline) throw mixed(replies);
    await pause(catalogPauseMs);
  }
}

function pagesOf(keys: readonly RequestRow[]): (readonly RequestRow[])[] {
  const size = limits.readEntitiesMax;
  return Array.from({ length: Math.ceil(keys.length / size) }, (_, page) => keys.slice(page * size, (page + 1) * size));
}

async function readAll(
  pages: readonly (readonly RequestRow[])[],
  read: (keys: readonly RequestRow[]) => Promise<ReadReply>,
): Promise<ReadReply[]> {
  const replies: ReadReply[] = [];
  const rest = pages.entries();
  let isFailed = false;
  const work = async () => {
    for (const [page, keys] of rest) {
      if (isFailed) return;
      replies[page] = await read(keys).catch((error: unknown) => {
        isFailed = true;
        throw error;
      });
    }
  };
  await Promise.all(Array.from({ length: Math.min(pagesAtOnce, pages.length) }, work));
  return replies;
}

function areOfOneCatalog([first, ...others]: readonly ReadReply[]): boolean {
  return others.every((one) => one.catalogVersion === first?.catalogVersion && one.epoch === first.epoch);
}

function mixed(replies: readonly ReadReply[]): TributaryError {
  const versions = [...new Set(replies.map((reply) => reply.catalogVersion))];
  return new TributaryError("STALE_CATALOG", `the stores answered by catalog versions ${versions.join(" and ")}`);
}

/** `nowMs` is the earliest page's; ages are told by each page's own. */
function joined(replies: readonly ReadReply[]): ReadReply {
  const [first] = replies as [ReadReply];
  const columns = first.columns.map((column, at) =>
    joinColumns(
      column,
      replies.map((reply) => reply.columns[at]),
    ),
  );
  return { ...first, nowMs: Math.min(...replies.map((reply) => reply.nowMs)), columns };
}

/** Whatever has one entry a row is strung together; what says something of the whole column is the same on each page. */
function joinColumns(first: ReadColumn, pages: readonly (ReadColumn | undefined)[]): ReadColumn {
  const entries = Object.entries(first).map(([field, value]) => {
    if (!Array.isArray(value)) return [field, value];
    return [field, pages.flatMap((page) => page?.[field as keyof ReadColumn] ?? [])];
  });
  return Object.fromEntries(entries) as unknown as ReadColumn;
}
