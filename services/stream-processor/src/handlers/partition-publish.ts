import { encodeChunk } from "@tributary/shared/codec/chunk-codec";
import type { Chunk } from "@tributary/shared/contracts/chunk";
import { TributaryError } from "@tributary/shared/contracts/errors";
import { subjects } from "@tributary/shared/contracts/subjects";
import type { PartitionState, ViewState } from "../core/partition-state.ts";
import { type ChunkOrigin, halves, type RowToTell, rowsChunks } from "../core/rows-chunk.ts";
import type { Parts } from "./parts.ts";

/** Publishes rows and waits for every acknowledgement; a chunk above the size limit goes in halves. */
export async function publishRows(
  parts: Parts,
  state: PartitionState,
  rows: readonly RowToTell[],
  origin: ChunkOrigin,
): Promise<void> {
  const pieces = rowsChunks(state, rows, origin);
  await Promise.all(
    pieces.map(async ({ chunk, rows: held }) => {
      try {
        await publishChunk(parts, chunk);
      } catch (error) {
        if (!(error instanceof TributaryError) || error.code !== "LIMIT_EXCEEDED" || held.length === 1) throw error;
        for (const half of halves(held)) await publishRows(parts, state, half, origin);
      }
    }),
  );
}

export interface Confirmation {
  readonly view: ViewState;
  /** Epoch ms. */
  readonly confirmedAtMs: number;
  readonly origin: ChunkOrigin;
  /** All that the view and partition hold has been sent again before it (R5). */
  readonly whole?: true;
  /** With `whole`: no row of it stands below this sequence of TRIB_ROWS_STREAM. */
  readonly since?: number;
}

/** C2: behind all rows that are acknowledged, in the same subject. */
export async function publishConfirmation(
  parts: Parts,
  state: PartitionState,
  { view, confirmedAtMs, origin, whole, since }: Confirmation,
): Promise<void> {
  await publishChunk(parts, {
    kind: "confirm",
    lane: "stream",
    view: view.view.name,
    viewVersion: view.view.version,
    catalogVersion: state.catalog.version,
    partition: state.partition,
    producer: origin.producer,
    fence: origin.fence,
    confirmedAtMs,
    ...(whole && { whole }),
    ...(since !== undefined && { since }),
  });
}

async function publishChunk(parts: Parts, chunk: Chunk): Promise<void> {
  const data = encodeChunk(chunk);
  await parts.rows.publish({ subject: subjects.rows("stream", chunk.partition, chunk.view), data });
}
