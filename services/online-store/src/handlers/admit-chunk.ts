import { decodeChunk } from "@tributary/shared/codec/chunk-codec";
import type { Catalog, View } from "@tributary/shared/contracts/catalog";
import type { Chunk, ConfirmationChunk } from "@tributary/shared/contracts/chunk";
import { replayOfHeader } from "@tributary/shared/contracts/dead-letter";
import { asTributaryError, TributaryError } from "@tributary/shared/contracts/errors";
import { type DeliveredMessage, type Outcome, reject, retry } from "@tributary/shared/messaging/contract";
import type { CatalogView } from "@tributary/shared/runtime/catalog-client";
import type { Turns } from "@tributary/shared/runtime/event-loop-turns";
import { checkHeader } from "../core/chunk-header.ts";
import { type RecordWrite, rowReader } from "../core/chunk-rows.ts";
import type { Hold, PendingConfirmation } from "../core/confirmation.ts";

/** A message as work to do, or the outcome when there is none. */
export type Admitted =
  | {
      readonly kind: "rows";
      readonly view: string;
      readonly writes: readonly RecordWrite[];
      readonly lifts?: PartitionHold;
    }
  | {
      readonly kind: "confirmation";
      readonly entry: PendingConfirmation & { readonly partition: number };
      readonly lifts?: PartitionHold;
    }
  | { readonly kind: "outcome"; readonly outcome: Outcome };

/** What of it is still needed when its rows are written: how many there were instead of the rows. */
export type Taken =
  | Exclude<Admitted, { readonly kind: "rows" }>
  | { readonly kind: "rows"; readonly view: string; readonly rows: number; readonly lifts?: PartitionHold };

export function takenOf(admitted: Admitted): Taken {
  if (admitted.kind !== "rows") return admitted;
  const { writes, ...rest } = admitted;
  return { ...rest, rows: writes.length };
}

/** Of a message that was set aside; the replay that is admitted here lifts it once it is applied (C4). */
export type PartitionHold = Hold & { readonly partition: number };

export interface AdmitContext {
  readonly catalog: CatalogView;
  /** Creation time of the lane's stream, epoch ms. */
  readonly incarnation: number;
}

const staleCatalogRetryMs = 500;
/** A look at the clock for each row would cost more than it gains. */
const rowsBetweenTurns = 16;

/** Never throws for what the message holds: that is a reject with its code. */
export async function admitChunk(context: AdmitContext, message: DeliveredMessage, turns: Turns): Promise<Admitted> {
  try {
    const chunk = decodeChunk(message.data);
    const catalog = await catalogOf(context.catalog, chunk.catalogVersion);
    return await admit(chunk, { message, catalog, incarnation: context.incarnation, turns });
  } catch (thrown) {
    const error = asTributaryError(thrown);
    if (error.code === "INTERNAL") throw error;
    // An unknown catalog version is not poison (R4), and neither is a broker that is away.
    if (error.retryable) return outcome(retry(staleCatalogRetryMs, error.message, { counted: false }));
    return outcome(reject(error.code, error.message));
  }
}

function outcome(result: Outcome): Admitted {
  return { kind: "outcome", outcome: result };
}

/** @throws TributaryError STALE_CATALOG */
async function catalogOf({ current, version }: CatalogView, wanted: number): Promise<Catalog> {
  const catalog = current?.version === wanted ? current : await version(wanted).catch(asUnread);
  if (catalog !== undefined) return catalog;
  throw new TributaryError("STALE_CATALOG", `catalog version ${wanted} is not known yet`);
}

/** A version that this build cannot read is the next build's to apply. */
function asUnread(error: unknown): never {
  throw new TributaryError("STALE_CATALOG", asTributaryError(error).message, { cause: error });
}

interface Delivered {
  readonly message: DeliveredMessage;
  readonly catalog: Catalog;
  readonly incarnation: number;
  readonly turns: Turns;
}

async function admit(chunk: Chunk, { message, catalog, incarnation, turns }: Delivered): Promise<Admitted> {
  const view = checkHeader(chunk, message.subject, catalog);
  const { subject, sequence, timestampMs } = message;
  const position = { subject, sequence, timestampMs, incarnation };
  const lifts = liftedHold(chunk, message.headers[replayOfHeader], incarnation);
  if (chunk.kind === "rows") {
    const writes = await inTurns(rowReader(chunk, view, { catalog, position }), chunk.keys.length, turns);
    return { kind: "rows", view: view.name, writes, ...lifts };
  }
  return { kind: "confirmation", entry: confirmationOf(chunk, view, position), ...lifts };
}

async function inTurns<T>(at: (index: number) => T, count: number, turns: Turns): Promise<T[]> {
  const all: T[] = [];
  for (let index = 0; index < count; index++) {
    all.push(at(index));
    if (index % rowsBetweenTurns === 0) await turns.next();
  }
  return all;
}

/** View and partition are those of the chunk, so that a replay lifts nothing but its own. */
function liftedHold(
  { lane, view, partition }: Chunk,
  replayOf: string | undefined,
  incarnation: number,
): { readonly lifts?: PartitionHold } {
  if (replayOf === undefined || !/^\d{1,15}$/.test(replayOf)) return {};
  return { lifts: { lane, view, partition, incarnation, sequence: Number(replayOf) } };
}

function confirmationOf(
  { partition, confirmedAtMs, whole, since }: ConfirmationChunk,
  { lane, name, version }: View,
  { incarnation, sequence }: { readonly incarnation: number; readonly sequence: number },
): PendingConfirmation & { readonly partition: number } {
  const entry = { partition, lane, view: name, viewVersion: version, incarnation, sequence, confirmedAtMs };
  return whole ? { ...entry, fillsBelow: since ?? sequence } : entry;
}
