import type { StreamStatus } from "@tributary/shared/contracts/status";
import { PartitionOwner } from "./partition-owner.ts";
import type { Parts, Worker } from "./parts.ts";
import { Route } from "./route.ts";

/** What this instance holds and how far it is. Positions and `evaluatedAtMs` hold for the clock as `nowMs` shows it. */
export function streamStatus(parts: Parts, workers: readonly Worker[]): StreamStatus {
  return {
    instance: parts.instance,
    catalogVersion: parts.catalog.current?.version ?? 0,
    nowMs: parts.clock.now(),
    routes: workers.filter((worker) => worker instanceof Route).map((route) => route.status()),
    partitions: workers
      .filter((worker) => worker instanceof PartitionOwner)
      .map((owner) => owner.status())
      .sort((a, b) => a.partition - b.partition),
    counters: { ...parts.counters },
  };
}
