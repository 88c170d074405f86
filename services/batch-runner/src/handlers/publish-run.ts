import { encodeChunk } from "@tributary/shared/codec/chunk-codec";
import { type ChunkCell, type ConfirmationChunk, tombstone } from "@tributary/shared/contracts/chunk";
import { subjects } from "@tributary/shared/contracts/subjects";
import { type BoundedSender, createBoundedSender } from "../adapters/bounded-sender.ts";
import { cellReader, plainColumn } from "../core/cell-value.ts";
import { sentColumn } from "../core/change-detection.ts";
import { createDeltaChunker, type DeltaChunk } from "../core/delta-chunks.ts";
import type { EngineBatch } from "../core/engine.ts";
import type { RunManifest } from "../core/run-manifest.ts";
import { identifier, literal } from "../core/sql-text.ts";
import { type RunContext, step } from "./run-ports.ts";

/** Chunks that may wait for their acknowledgement: at most 8 MiB at the size aimed at. */
const inFlightMax = 64;

/**
 * Publishes a staged run from its stage alone: every chunk, all acknowledgements, then the confirmations behind them and
 * their acknowledgements (B2, C3). Sending it again is harmless: rows, order and versions come from the stage.
 */
export async function publishRun(context: RunContext, manifest: RunManifest): Promise<void> {
  const sender = createBoundedSender(context.publisher, { inFlightMax, signal: context.signal });
  await publishDelta(context, manifest, sender);
  await sender.drain();
  await step(context, "published");
  for (const partition of manifest.confirm) {
    const chunk: ConfirmationChunk = confirmationOf(context, manifest, partition);
    await sender.send({
      subject: subjects.rows("batch", partition, manifest.view),
      data: encodeChunk(chunk),
      id: `${manifest.view}:${manifest.run}:confirm:${partition}`,
    });
    await step(context, "confirm");
  }
  await sender.drain();
  await step(context, "confirmed");
}

async function publishDelta(context: RunContext, manifest: RunManifest, sender: BoundedSender): Promise<void> {
  const chunker = createDeltaChunker(manifest, context.instance);
  const send = async (closed: DeltaChunk | undefined): Promise<void> => {
    if (closed === undefined) return;
    const { chunk, ordinal, firstRow } = closed;
    await sender.send({
      subject: subjects.rows("batch", chunk.partition, manifest.view),
      data: encodeChunk(chunk),
      // The rows stand in the id: were chunks cut otherwise by a later build, the broker would not take one for another.
      id: `${manifest.view}:${manifest.run}:${ordinal}:${firstRow}+${chunk.keys.length}`,
    });
    const done = firstRow + chunk.keys.length;
    context.report({ progress: { step: "publishing", done, total: manifest.delta.rows } });
    await step(context, "chunk");
  };
  const rowsOf = rowReader(manifest);
  for await (const batch of context.engine.stream(deltaQuery(context, manifest))) {
    for (const row of rowsOf(batch)) await send(chunker.add(row));
  }
  await send(chunker.finish());
}

/** A single Parquet file is read in the order in which it was written. */
function deltaQuery(context: RunContext, manifest: RunManifest): string {
  const cells = manifest.features.flatMap((feature) => [
    plainColumn(feature, identifier(feature.name)),
    sentColumn(feature.name),
  ]);
  const file = literal(context.lake.absolute(manifest.delta.path));
  return `SELECT _partition, _key, _gone, ${cells.join(", ")} FROM read_parquet(${file})`;
}

const fixedColumns = 3;

function rowReader(manifest: RunManifest) {
  const readers = manifest.features.map(cellReader);
  return function* ({ rows, columns }: EngineBatch) {
    const [partitions, keys, gone] = columns;
    for (let row = 0; row < rows; row++) {
      const isGone = gone?.[row] === true;
      const cells = readers.map((read, i): ChunkCell => {
        if (columns[fixedColumns + 2 * i + 1]?.[row] !== true) return undefined;
        return isGone ? tombstone : read(columns[fixedColumns + 2 * i]?.[row]);
      });
      yield { partition: Number(partitions?.[row]), key: String(keys?.[row]), cells };
    }
  };
}

function confirmationOf(context: RunContext, manifest: RunManifest, partition: number): ConfirmationChunk {
  return {
    kind: "confirm",
    lane: "batch",
    view: manifest.view,
    viewVersion: manifest.viewVersion,
    catalogVersion: manifest.catalogVersion,
    partition,
    producer: context.instance,
    run: { number: manifest.run, ordinal: manifest.delta.rows },
    confirmedAtMs: manifest.intervalEndMs,
  };
}
