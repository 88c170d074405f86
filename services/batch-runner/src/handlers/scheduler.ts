import type { Catalog } from "@tributary/shared/contracts/catalog";
import { asTributaryError, type TributaryError } from "@tributary/shared/contracts/errors";
import type { CatalogView } from "@tributary/shared/runtime/catalog-client";
import { dueInterval, type ViewProgress } from "../core/schedule.ts";
import type { RunPorts } from "./run-ports.ts";
import type { RunQueue } from "./run-queue.ts";

/**
 * Every view each `every` on the clock, the latest interval only; and whatever is staged, by anybody, is finished.
 * With `isOn` false it only does the latter.
 */
export interface Scheduler {
  onEnd(view: string, error: TributaryError | undefined): void;
  stop(): Promise<void>;
}

export interface SchedulerOptions {
  readonly ports: RunPorts;
  readonly catalog: CatalogView;
  readonly queue: RunQueue;
  readonly isOn: boolean;
  /** Real ms between looks at the clock, and before a failed run is tried again. */
  readonly tickMs: number;
  readonly retryMs: number;
}

export function startScheduler(options: SchedulerOptions): Scheduler {
  const { ports } = options;
  const tried = new Map<string, Pick<ViewProgress, "triedEndMs" | "retryAtMs">>();
  let resumeAtMs = 0;
  const tick = async (): Promise<void> => {
    const queue = options.queue;
    if (!queue.isIdle) return;
    if (performance.now() >= resumeAtMs) for (const view of await ports.ledger.stagedViews()) queue.resume(view);
    const catalog = options.catalog.current;
    if (options.isOn && catalog !== undefined) await addDue(options, catalog, tried);
  };
  const loop = startLoop(options.tickMs, tick, (error) =>
    ports.logger.warn({ error: asTributaryError(error).message }, "the schedule could not be looked at"),
  );
  return {
    onEnd: (view, error) => {
      if (error === undefined) tried.delete(view);
      else resumeAtMs = performance.now() + options.retryMs;
    },
    stop: loop,
  };
}

type Tried = Map<string, Pick<ViewProgress, "triedEndMs" | "retryAtMs">>;

async function addDue({ ports, queue, retryMs }: SchedulerOptions, catalog: Catalog, tried: Tried): Promise<void> {
  for (const view of Object.values(catalog.views)) {
    if (view.lane !== "batch" || queue.has(view.name)) continue;
    const published = await ports.ledger.published(view.name);
    const before = tried.get(view.name) ?? { triedEndMs: undefined, retryAtMs: 0 };
    const isOtherVersion = published !== undefined && published.viewVersion !== view.version;
    const progress = { publishedEndMs: isOtherVersion ? undefined : published?.intervalEndMs, ...before };
    const intervalEndMs = dueInterval(view, progress, ports.now(), performance.now());
    if (intervalEndMs === undefined) continue;
    tried.set(view.name, { triedEndMs: intervalEndMs, retryAtMs: performance.now() + retryMs });
    queue.add({ catalog, view, intervalEndMs });
  }
}

/** Calls `work` every `everyMs`, never twice at once; returns a function that ends it. */
function startLoop(everyMs: number, work: () => Promise<void>, onError: (error: unknown) => void): () => Promise<void> {
  let running: Promise<void> | undefined;
  const timer = setInterval(() => {
    running ??= work()
      .catch(onError)
      .finally(() => {
        running = undefined;
      });
  }, everyMs);
  return async () => {
    clearInterval(timer);
    await running;
  };
}
