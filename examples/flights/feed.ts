import { setTimeout as sleep } from "node:timers/promises";
import type { BatchRunStatus } from "@tributary/shared/contracts/status";
import { runBatch } from "./batch-runs.ts";
import { endMs } from "./dataset.ts";
import { landFlights } from "./history.ts";
import type { Mesh } from "./mesh.ts";
import { openReplay } from "./replay.ts";

/**
 * What the outside world does while the clock runs: departures are published when they are reported, and each full hour a file
 * lands in the lake and the batch views run for it.
 */
export interface Feed {
  readonly published: number;
  /** Flights reported up to here have landed in the lake, epoch ms. */
  readonly landedMs: number;
  /** Publishes everything reported up to `instantMs`. */
  publishUntil(instantMs: number): Promise<void>;
  /** Follows the clock until it passes `instantMs` or `stopped` says so. */
  follow(instantMs: number, stopped: () => boolean): Promise<void>;
  /** Waits for the files and runs that are under way. */
  idle(): Promise<void>;
  readonly lastRuns: ReadonlyMap<string, BatchRunStatus>;
}

const hourMs = 60 * 60_000;
const tickMs = 40;
const eventsPerMessage = 500;
export const batchViews = ["route_profile", "airport_profile"] as const;

export function openFeed(mesh: Mesh, fromMs: number, landedUntilMs: number): Feed {
  const replay = openReplay(mesh.engine, fromMs);
  const lastRuns = new Map<string, BatchRunStatus>();
  let published = 0;
  let landedMs = landedUntilMs;
  let hourly: Promise<void> = Promise.resolve();
  let failure: unknown;
  const publishUntil = async (instantMs: number): Promise<void> => {
    const events = await replay.takeUntil(Math.min(instantMs, endMs));
    for (let i = 0; i < events.length; i += eventsPerMessage) {
      await mesh.client.publish("departures", events.slice(i, i + eventsPerMessage));
    }
    published += events.length;
  };
  const landHour = (): void => {
    const range = { fromMs: landedMs, toMs: landedMs + hourMs };
    landedMs = range.toMs;
    hourly = hourly
      .then(() => land(mesh, range, lastRuns))
      .catch((error: unknown) => {
        failure ??= error;
      });
  };
  return {
    get published() {
      return published;
    },
    get landedMs() {
      return landedMs;
    },
    lastRuns,
    publishUntil,
    follow: async (instantMs, stopped) => {
      for (;;) {
        const nowMs = Math.min(mesh.clock.now(), instantMs);
        await publishUntil(nowMs);
        if (nowMs >= landedMs + hourMs) landHour();
        if (failure !== undefined) throw failure;
        if (nowMs >= instantMs || stopped()) return;
        await sleep(tickMs);
      }
    },
    idle: async () => {
      await hourly;
      if (failure !== undefined) throw failure;
    },
  };
}

async function land(
  mesh: Mesh,
  range: { fromMs: number; toMs: number },
  lastRuns: Map<string, BatchRunStatus>,
): Promise<void> {
  await landFlights(mesh.engine, mesh.lake, range);
  for (const view of batchViews)
    lastRuns.set(view, await runBatch(mesh.connection, { view, intervalEndMs: range.toMs }));
}
