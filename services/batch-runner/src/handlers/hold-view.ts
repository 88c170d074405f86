import { TributaryError } from "@tributary/shared/contracts/errors";
import { acquireLease, type Lease, releaseLease, renewLeases } from "@tributary/shared/runtime/lease";
import type { RunPorts } from "./run-ports.ts";

/** A view in our hands: its lease, renewed in the background; `onLost` is called once when it could not be kept. */
export interface HeldView {
  readonly lease: Lease;
  release(): Promise<void>;
}

/** @throws TributaryError RUN_CONFLICT when another runner holds the view */
export async function holdView(
  { database, instance, leaseMs, logger }: RunPorts,
  view: string,
  onLost: (error: TributaryError) => void,
): Promise<HeldView> {
  const lease = await acquireLease(database.query, leaseName(view), instance, leaseMs);
  if (lease === undefined) throw heldElsewhere(view);
  let renewing = Promise.resolve();
  let keptAt = performance.now();
  const renew = async (): Promise<void> => {
    try {
      const kept = await renewLeases(database.query, [lease], leaseMs);
      if (!kept.has(lease.name)) onLost(new TributaryError("FENCED", `view "${view}" has a newer runner`));
      else keptAt = performance.now();
    } catch (error) {
      logger.warn({ view, error: String(error) }, "the lease could not be renewed");
      if (performance.now() - keptAt > leaseMs)
        onLost(new TributaryError("UNAVAILABLE", `the lease of view "${view}" could not be renewed`, { cause: error }));
    }
  };
  const timer = setInterval(() => {
    renewing = renewing.then(renew);
  }, leaseMs / 3);
  return {
    lease,
    release: async () => {
      clearInterval(timer);
      await renewing;
      await releaseLease(database.query, lease).catch((error: unknown) =>
        logger.warn({ view, error: String(error) }, "the lease was not given back; it runs out by itself"),
      );
    },
  };
}

export function leaseName(view: string): string {
  return `batch:${view}`;
}

export function heldElsewhere(view: string): TributaryError {
  return new TributaryError("RUN_CONFLICT", `another runner holds view "${view}"`);
}

/** Whether somebody else holds the view right now: a courtesy answer, the lease itself decides later. */
export async function isHeldElsewhere({ database, instance }: RunPorts, view: string): Promise<boolean> {
  const { rows } = await database.query("select 1 from leases where name = $1 and owner <> $2 and until > now()", [
    leaseName(view),
    instance,
  ]);
  return rows.length > 0;
}
