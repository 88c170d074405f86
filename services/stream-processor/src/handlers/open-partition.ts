import type { Catalog } from "@tributary/shared/contracts/catalog";
import { TributaryError } from "@tributary/shared/contracts/errors";
import { subjects } from "@tributary/shared/contracts/subjects";
import type { Cursor } from "@tributary/shared/messaging/contract";
import { openCursor } from "@tributary/shared/messaging/cursor";
import { readStreamState } from "@tributary/shared/messaging/stream-state";
import { loadPartition } from "../adapters/partition-store.ts";
import { PartitionBook } from "../core/partition-book.ts";
import { emptyPartition } from "../core/partition-state.ts";
import { restorePartition } from "../core/partition-storage.ts";
import type { Parts } from "./parts.ts";

export interface OpenedPartition {
  readonly cursor: Cursor;
  readonly book: PartitionBook;
}

/**
 * The partition's state at its committed position, and a cursor right behind it.
 * @throws TributaryError HISTORY_LOST when the stream no longer holds what follows the position (O5)
 */
export async function openPartition(parts: Parts, partition: number): Promise<OpenedPartition> {
  const loaded = await loadPartition(parts.database, partition);
  if (loaded === undefined) return openFresh(parts, partition);
  const { incarnation, position, catalogVersion } = loaded.stored;
  const catalog = (await parts.catalog.version(catalogVersion)) ?? currentCatalog(parts);
  const cursor = await cursorAt(parts, partition, { from: position + 1, incarnation });
  const { state, unpublished, told } = restorePartition(partition, catalog, loaded);
  const book = new PartitionBook(state);
  book.resume(unpublished, told, { nowMs: parts.clock.now(), rate: parts.clock.record.rate });
  return { cursor, book };
}

async function openFresh(parts: Parts, partition: number): Promise<OpenedPartition> {
  const { firstSequence } = await readStreamState(parts.consuming, "TRIB_KEYED");
  const cursor = await cursorAt(parts, partition, { from: firstSequence });
  const start = { incarnation: cursor.incarnation, position: firstSequence - 1 };
  return { cursor, book: new PartitionBook(emptyPartition(partition, currentCatalog(parts), start)) };
}

async function cursorAt(
  parts: Parts,
  partition: number,
  start: { readonly from: number; readonly incarnation?: number },
): Promise<Cursor> {
  return openCursor(parts.consuming, {
    stream: "TRIB_KEYED",
    filter: subjects.keyedPartition(partition),
    bufferMax: parts.config.keyedBufferMax,
    ...start,
  });
}

function currentCatalog(parts: Parts): Catalog {
  if (parts.catalog.current === undefined) throw new TributaryError("UNAVAILABLE", "no catalog is applied yet");
  return parts.catalog.current;
}
