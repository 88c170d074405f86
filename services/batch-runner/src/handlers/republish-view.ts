import type { BatchView, Catalog } from "@tributary/shared/contracts/catalog";
import { TributaryError } from "@tributary/shared/contracts/errors";
import type { BatchRunCounts } from "@tributary/shared/contracts/status";
import { type BoundedSender, createBoundedSender } from "../adapters/bounded-sender.ts";
import { lakePaths } from "../core/lake-layout.ts";
import { type RunManifest, runManifestSchema } from "../core/run-manifest.ts";
import { snapshotQuery, snapshotReader } from "../core/snapshot-rows.ts";
import { literal } from "../core/sql-text.ts";
import { finishStaged } from "./finish-staged.ts";
import type { RunContext } from "./run-ports.ts";
import { inFlightMax, type Said, sendConfirmation, sendRows } from "./send-rows.ts";

export interface ViewRepublish {
  readonly catalog: Catalog;
  readonly view: BatchView;
  /** In the id of every message, so that none is taken for one of an earlier republish. */
  readonly request: string;
}

/**
 * Sends what a view has published once more (R5): what is staged is finished first, then the snapshot, all acknowledgements, and behind them for
 * each partition the confirmation that all of it is there. Nothing of it is recorded: a runner that stops is asked again.
 * Of a view version that was never published nothing can be missing, and that is said in the same way.
 * @throws TributaryError CORRUPT, FENCED, UNAVAILABLE and those of a run that is finished
 */
export async function republishView(context: RunContext, job: ViewRepublish): Promise<void> {
  const { view, catalog } = job;
  await finishStaged(context, view.name);
  const published = await publishedManifest(context, view.name);
  const sender = createBoundedSender(context.publisher, { inFlightMax, signal: context.signal });
  if (published !== undefined) await sendSnapshot(context, published, { sender, request: job.request });
  if (published?.viewVersion === view.version) return;
  context.report({ isUnpublished: true });
  const today = { view: view.name, viewVersion: view.version, catalogVersion: catalog.version };
  for (let partition = 0; partition < catalog.partitions; partition++) {
    const id = `${view.name}:republish:${job.request}:${view.version}:nothing:${partition}`;
    await sendConfirmation(context, today, { sender, partition, id, said: { confirmedAtMs: 0, whole: true } });
  }
  await sender.drain();
}

async function publishedManifest({ ledger, lake }: RunContext, view: string): Promise<RunManifest | undefined> {
  const published = await ledger.published(view);
  if (published === undefined) return undefined;
  const path = `${lakePaths.snapshot(view, published.run)}/manifest.json`;
  const manifest = await lake.readJson(path, runManifestSchema);
  if (manifest === undefined) throw new TributaryError("CORRUPT", `the lake's file ${path} is missing`);
  await lake.verify(manifest.snapshot);
  return manifest;
}

interface Sending {
  readonly sender: BoundedSender;
  readonly request: string;
}

async function sendSnapshot(context: RunContext, manifest: RunManifest, { sender, request }: Sending): Promise<void> {
  const { publisher, report } = context;
  const id = `${manifest.view}:republish:${request}`;
  const total = manifest.snapshot.rows;
  const since = new Map<number, number>();
  const incarnation = await publisher.incarnation();
  report({ progress: { step: "republishing", done: 0, total } });
  let [keys, rows] = [0, 0];
  const reader = snapshotReader(manifest);
  await sendRows(context, manifest, {
    sender,
    id,
    query: snapshotQuery(manifest, literal(context.lake.absolute(manifest.snapshot.path))),
    rowsOf: function* (batch) {
      for (const versions of reader(batch)) {
        keys += 1;
        rows += versions.length;
        yield* versions;
      }
    },
    onSent: () => report({ progress: { step: "republishing", done: keys, total } }),
    onAck: (partition, { sequence }) => since.set(partition, Math.min(sequence, since.get(partition) ?? sequence)),
  });
  await sender.drain();
  // Rows in a stream that is no more: what stands in the new one says nothing of them.
  if ((await publisher.incarnation()) !== incarnation)
    throw new TributaryError(
      "UNAVAILABLE",
      `the row stream was made anew meanwhile; republish "${manifest.view}" again`,
    );
  const confirmed = new Set(manifest.confirmed);
  for (let partition = 0; partition < manifest.partitions; partition++) {
    const from = since.get(partition);
    const said: Said = {
      confirmedAtMs: confirmed.has(partition) ? manifest.intervalEndMs : 0,
      whole: true,
      ...(from !== undefined && { since: from }),
    };
    await sendConfirmation(context, manifest, { sender, partition, id: `${id}:whole:${partition}`, said });
  }
  await sender.drain();
  report({ counts: { ...noCounts, rows: keys, published: rows } });
}

const noCounts: BatchRunCounts = {
  rows: 0,
  inserted: 0,
  updated: 0,
  deleted: 0,
  unchanged: 0,
  suppressed: 0,
  published: 0,
};
