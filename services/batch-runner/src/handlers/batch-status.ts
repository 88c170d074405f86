import { decodePayload } from "@tributary/shared/codec/json-or-msgpack";
import { TributaryError } from "@tributary/shared/contracts/errors";
import type { BatchRunStatus, BatchStatus } from "@tributary/shared/contracts/status";
import type { CatalogView } from "@tributary/shared/runtime/catalog-client";
import { z } from "zod";
import type { RunPorts } from "./run-ports.ts";
import type { RunQueue } from "./run-queue.ts";

const requestSchema = z.strictObject({ view: z.string().optional() });
const runsMax = 50;

/** `batch.status`: what this process has in hand, then the newest runs of the ledger. */
export async function readStatus(
  ports: RunPorts,
  { catalog, queue }: { readonly catalog: CatalogView; readonly queue: RunQueue },
  data: Uint8Array,
): Promise<BatchStatus> {
  const request = requestSchema.safeParse(data.length === 0 ? {} : decodePayload(data).value);
  if (!request.success) throw new TributaryError("MALFORMED", "a status request is { view? }");
  const { view } = request.data;
  // Read before the ledger: a run that ends in between is in one of the two.
  const inHand = queue.statuses().filter((status) => view === undefined || status.view === view);
  const recorded = await ports.ledger.recent(view, runsMax);
  return {
    instance: ports.instance,
    catalogVersion: catalog.current?.version ?? 0,
    runs: merge(inHand, recorded),
  };
}

/** The ledger knows best what became of a run; how far it is only its process knows. */
function merge(inHand: readonly BatchRunStatus[], recorded: readonly BatchRunStatus[]): readonly BatchRunStatus[] {
  const byRun = new Map(inHand.filter((status) => status.run > 0).map((status) => [status.run, status]));
  const only = inHand.filter((status) => status.run === 0 && (status.request !== undefined || status.error));
  return [...only, ...recorded.map((status) => withProgress(status, byRun.get(status.run)))];
}

function withProgress(recorded: BatchRunStatus, live: BatchRunStatus | undefined): BatchRunStatus {
  if (live === undefined) return recorded;
  const status = live.finishedAtMs === undefined ? stillHeld(recorded) : recorded;
  if (status.finishedAtMs !== undefined) return status;
  return {
    ...status,
    ...(live.progress && { progress: live.progress }),
    ...(live.error && { error: live.error }),
  };
}

/** A run that its process still holds is not over yet, whatever the ledger says: who sees it ended can ask for the next. */
function stillHeld({ finishedAtMs: _, ...status }: BatchRunStatus): BatchRunStatus {
  return { ...status, phase: status.phase === "published" ? "publishing" : status.phase };
}
