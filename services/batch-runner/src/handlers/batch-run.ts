import { decodePayload } from "@tributary/shared/codec/json-or-msgpack";
import type { BatchView, Catalog } from "@tributary/shared/contracts/catalog";
import { TributaryError } from "@tributary/shared/contracts/errors";
import { type BatchRepublishReply, batchRepublishSchema } from "@tributary/shared/contracts/republish";
import type { BatchRunReply } from "@tributary/shared/contracts/status";
import type { CatalogView } from "@tributary/shared/runtime/catalog-client";
import { z } from "zod";
import { checkInterval, latestIntervalEnd } from "../core/interval.ts";
import { heldElsewhere, isHeldElsewhere } from "./hold-view.ts";
import type { RunPorts } from "./run-ports.ts";
import type { RunQueue } from "./run-queue.ts";

const requestSchema = z.strictObject({ view: z.string(), intervalEndMs: z.number().int().optional() });

/** `batch.run`: accepts a run and answers at once. @throws TributaryError MALFORMED, UNKNOWN_VIEW, WRONG_LANE, BAD_INTERVAL, RUN_CONFLICT, OVERLOADED */
export async function acceptRun(
  ports: RunPorts,
  { catalog, queue }: { readonly catalog: CatalogView; readonly queue: RunQueue },
  data: Uint8Array,
): Promise<BatchRunReply> {
  const request = requestSchema.safeParse(decodePayload(data).value);
  if (!request.success)
    throw new TributaryError("MALFORMED", "a run request is { view, intervalEndMs? } with epoch milliseconds");
  const current = catalog.current;
  const view = batchViewOf(current, request.data.view);
  const intervalEndMs = request.data.intervalEndMs ?? latestIntervalEnd(view, ports.now());
  checkInterval(view, intervalEndMs, ports.now());
  if (await isHeldElsewhere(ports, view.name)) throw heldElsewhere(view.name);
  const id = queue.add({ catalog: current as Catalog, view, intervalEndMs });
  return { accepted: true, request: id, view: view.name, intervalEndMs };
}

/** `batch.republish`: accepts it and answers at once. @throws TributaryError MALFORMED, UNKNOWN_VIEW, WRONG_LANE, RUN_CONFLICT, OVERLOADED */
export async function acceptRepublish(
  ports: RunPorts,
  { catalog, queue }: { readonly catalog: CatalogView; readonly queue: RunQueue },
  data: Uint8Array,
): Promise<BatchRepublishReply> {
  const request = batchRepublishSchema.safeParse(decodePayload(data).value);
  if (!request.success) throw new TributaryError("MALFORMED", "a republish request is { view }");
  const current = catalog.current;
  const view = batchViewOf(current, request.data.view);
  if (await isHeldElsewhere(ports, view.name)) throw heldElsewhere(view.name);
  const id = queue.republish({ catalog: current as Catalog, view });
  return { accepted: true, request: id, view: view.name };
}

function batchViewOf(catalog: Catalog | undefined, name: string): BatchView {
  const view = catalog?.views[name];
  if (view === undefined) {
    const where =
      catalog === undefined ? "no catalog is applied yet" : `catalog version ${catalog.version} has no view`;
    throw new TributaryError("UNKNOWN_VIEW", `${where}: "${name}"`);
  }
  if (view.lane !== "batch")
    throw new TributaryError("WRONG_LANE", `view "${name}" is of the ${view.lane} lane; only batch views are run`);
  return view;
}
