import { type ChunkCell, tombstone } from "@tributary/shared/contracts/chunk";
import { type BoundedSender, createBoundedSender } from "../adapters/bounded-sender.ts";
import { cellReader, plainColumn } from "../core/cell-value.ts";
import { sentColumn } from "../core/change-detection.ts";
import type { EngineBatch } from "../core/engine.ts";
import type { RunManifest } from "../core/run-manifest.ts";
import { identifier, literal } from "../core/sql-text.ts";
import { type RunContext, step } from "./run-ports.ts";
import { inFlightMax, sendConfirmation, sendRows } from "./send-rows.ts";

/**
 * Publishes a staged run from its stage alone: every chunk, all acknowledgements, then the confirmations behind them and
 * their acknowledgements (B2, C3). Sending it again is harmless: rows, order and versions come from the stage.
 */
export async function publishRun(context: RunContext, manifest: RunManifest): Promise<void> {
  const sender = createBoundedSender(context.publisher, { inFlightMax, signal: context.signal });
  await publishDelta(context, manifest, sender);
  await sender.drain();
  await step(context, "published");
  const said = {
    run: { number: manifest.run, ordinal: manifest.delta.rows },
    confirmedAtMs: manifest.intervalEndMs,
  };
  for (const partition of manifest.confirm) {
    const id = `${manifest.view}:${manifest.run}:confirm:${partition}`;
    await sendConfirmation(context, manifest, { sender, partition, id, said });
  }
  await sender.drain();
  await step(context, "confirmed");
}

function publishDelta(context: RunContext, manifest: RunManifest, sender: BoundedSender): Promise<void> {
  const total = manifest.delta.rows;
  return sendRows(context, manifest, {
    sender,
    query: deltaQuery(context, manifest),
    rowsOf: rowReader(manifest),
    id: `${manifest.view}:${manifest.run}`,
    onSent: (done) => context.report({ progress: { step: "publishing", done, total } }),
  });
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
