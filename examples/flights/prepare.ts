import type { BatchRunStatus } from "@tributary/shared/contracts/status";
import { runBatch } from "./batch-runs.ts";
import { startMs, warmUpMs } from "./dataset.ts";
import { batchViews, type Feed, openFeed } from "./feed.ts";
import { landAirports, landFlights } from "./history.ts";
import type { Mesh } from "./mesh.ts";

/** History and the last day's events, so that the first read finds all three lanes. */
export interface Prepared {
  readonly feed: Feed;
  readonly firstRuns: readonly BatchRunStatus[];
}

/** The line with the run's counts says these. */
const quietSteps = new Set(["waiting", "published"]);

export async function prepare(mesh: Mesh, say: (line: string) => void): Promise<Prepared> {
  await landAirports(mesh.lake);
  const landed = await landFlights(mesh.engine, mesh.lake, { fromMs: 0, toMs: startMs });
  say(`history   ${landed.toLocaleString("en")} flights landed in the lake`);
  const firstRuns: BatchRunStatus[] = [];
  for (const view of batchViews) firstRuns.push(await runAndTell(mesh, view, say));
  const feed = openFeed(mesh, startMs - warmUpMs, startMs);
  await feed.publishUntil(startMs);
  say(`stream    ${feed.published.toLocaleString("en")} departures of the last 24 hours published`);
  return { feed, firstRuns };
}

async function runAndTell(mesh: Mesh, view: string, say: (line: string) => void): Promise<BatchRunStatus> {
  let told = "";
  const run = await runBatch(mesh.connection, {
    view,
    intervalEndMs: startMs,
    onProgress: (status) => {
      const step = status.progress?.step ?? status.phase;
      if (step !== told && !quietSteps.has(step)) say(`batch     ${view}: ${step}`);
      told = step;
    },
  });
  const seconds = ((run.finishedAtMs ?? run.startedAtMs) - run.startedAtMs) / 1000;
  say(
    `batch     ${view}: ${run.counts.rows} rows, ${run.counts.published} published, ${run.counts.unchanged} unchanged, ${seconds.toFixed(1)} s`,
  );
  return run;
}
