import type { ReadColumn, ReadReply } from "@tributary/shared/contracts/read";

/**
 * One reply of the pages of a read, at least one, all of one catalog version. `nowMs` is the earliest page's; ages are told by
 * each page's own.
 */
export function joinReplies(replies: readonly ReadReply[]): ReadReply {
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
