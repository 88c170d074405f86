import type { Catalog, Lane, View } from "@tributary/shared/contracts/catalog";
import { TributaryError, toWireError, type WireError } from "@tributary/shared/contracts/errors";
import type { Lack } from "./lane-state.ts";

/** What its lane has sent of a view. */
export interface Sent {
  readonly rows: number;
  /** Those that were sent to their end. */
  readonly partitions: readonly number[];
  readonly isUnpublished?: true;
  /** Why not all of it was sent. */
  readonly error?: TributaryError;
}

export interface ViewResult {
  readonly view: string;
  readonly lane: Lane;
  /** Sent again; null: the lane sends nothing, the store reads its stream itself. */
  readonly rows: number | null;
  /** Partitions that have everything now, of how many. */
  readonly whole: number;
  readonly partitions: number;
  /** Partitions that lack what Redis lost, and those of which a message is set aside. */
  readonly missing: readonly number[];
  readonly setAside: readonly number[];
  /** Nothing of the view's version of today was ever published. */
  readonly isUnpublished?: true;
  readonly error?: WireError;
}

export function viewResult(
  view: View,
  { partitions }: Catalog,
  found: { readonly sent: Sent | undefined; readonly lack: Lack },
): ViewResult {
  const { sent, lack } = found;
  const all = Array.from({ length: partitions }, (_, partition) => partition);
  const lacking = new Set([...lack.missing, ...lack.setAside]);
  const isWhole = (partition: number) =>
    !lacking.has(partition) && (view.lane === "direct" || sent?.partitions.includes(partition) === true);
  return {
    view: view.name,
    lane: view.lane,
    rows: view.lane === "direct" ? null : (sent?.rows ?? 0),
    whole: all.filter(isWhole).length,
    partitions,
    ...lack,
    ...(sent?.isUnpublished && { isUnpublished: true }),
    ...(sent?.error && { error: toWireError(sent.error) }),
  };
}

/** What keeps the rebuild from being complete: the first thing that somebody has to see to; undefined when it is. */
export function shortfall(results: readonly ViewResult[]): TributaryError | undefined {
  const short = results.filter(({ whole, partitions }) => whole < partitions);
  const failed = short.find(({ error }) => error !== undefined);
  if (failed?.error !== undefined)
    return new TributaryError(failed.error.code, `not complete: ${failed.error.message}`);
  const [first] = short;
  if (first === undefined) return undefined;
  const names = short.map(({ view }) => `"${view}"`).join(", ");
  return new TributaryError("HISTORY_LOST", `not complete: ${names}: ${remarkOf(first)}`);
}

/** Why a view is not whole, or what there is to say of one that is. */
export function remarkOf({ lane, missing, setAside, isUnpublished, error }: ViewResult): string {
  if (error !== undefined) return error.message;
  if (setAside.length > 0) return `a message was set aside in ${countOf(setAside)}; see \`tributary dlq list\``;
  if (missing.length > 0 && lane === "direct")
    return `${countOf(missing)} lack what Redis lost and the stream holds no longer; only writing it again brings it back`;
  if (missing.length > 0) return `${countOf(missing)} still lack what Redis lost; rebuild again`;
  if (isUnpublished) return "nothing of this version was ever published";
  return lane === "direct" ? "read again from its stream" : "";
}

function countOf(partitions: readonly number[]): string {
  return partitions.length === 1 ? `partition ${partitions[0]}` : `${partitions.length} partitions`;
}
