import type { Lane } from "@tributary/shared/contracts/catalog";
import { type ChunkCell, type FeatureValue, tombstone } from "@tributary/shared/contracts/chunk";
import type { Version } from "@tributary/shared/contracts/version";

/** What the histories are about. Few of everything, so that writers collide and cells tie. */
export const keys = ["ORD", "JFK"] as const;
export type Key = (typeof keys)[number];

export const features = ["number", "text", "any"] as const;
export type FeatureName = (typeof features)[number];

/** Every feature's values in the order of V1 at an equal version, the least first: written down, so that the oracle needs no codec. */
export const valuesInOrder: Readonly<Record<FeatureName, readonly Exclude<ChunkCell, undefined>[]>> = {
  number: [null, 0, 1, 127, -1, -2, 0.5, 0.1, tombstone],
  text: [null, "", "a", "b", "aa", tombstone],
  any: [null, false, true, 3, -3, 0.25, 0.3, "x", [], [1], {}, { a: 1 }, tombstone],
};

/** A view as some catalog version has it. The second has gained a feature within its version; the third is its next version. */
export interface ModelView {
  readonly name: string;
  readonly version: number;
  readonly lane: Lane;
  readonly features: readonly FeatureName[];
}

export const modelViews: readonly ModelView[] = [
  { name: "congestion", version: 1, lane: "direct", features: ["number", "text"] },
  { name: "congestion", version: 1, lane: "direct", features: ["any", "number", "text"] },
  { name: "congestion", version: 2, lane: "direct", features: ["any", "number"] },
  { name: "airport_now", version: 1, lane: "stream", features: ["any", "number"] },
  { name: "airport_profile", version: 1, lane: "batch", features: ["number", "text"] },
];

export interface ModelSchedule {
  readonly untilMs: number;
  readonly steps: readonly {
    readonly atMs: number;
    readonly values: Readonly<Partial<Record<FeatureName, FeatureValue>>>;
  }[];
}

export interface ModelRow {
  readonly key: Key;
  /** With `stamped` the row's own; else the direct lane's: the message's position and the row's index (V4, V5). */
  readonly version: Version;
  readonly cells: Readonly<Partial<Record<FeatureName, Exclude<ChunkCell, undefined>>>>;
  readonly schedule: ModelSchedule | null;
}

export interface RowsMessage {
  readonly kind: "rows";
  /** Index into `modelViews`. */
  readonly view: number;
  readonly stamped: boolean;
  readonly position: { readonly incarnation: number; readonly sequence: number; readonly timestampMs: number };
  readonly rows: readonly ModelRow[];
}

/** Cells of the key up to the version are gone, whatever their lane. */
export interface ErasureMessage {
  readonly kind: "erasure";
  readonly key: Key;
  readonly version: Version;
}

export type Message = RowsMessage | ErasureMessage;

/** A record that is there before the history begins, as some earlier store left it. */
export interface StartRecord {
  readonly key: Key;
  readonly format: 1 | 2;
  readonly erasure: Version | null;
  readonly rows: readonly { readonly view: number; readonly row: ModelRow }[];
}

export interface History {
  readonly start: readonly StartRecord[];
  readonly messages: readonly Message[];
  /** By writer, in its order: batches of indexes into the messages. Every message comes at least once. */
  readonly deliveries: readonly (readonly (readonly number[])[])[];
  /** Which commands to the record store fail, counted over all writers, and whether they were carried out before. */
  readonly outages: readonly { readonly command: number; readonly isDone: boolean }[];
  /** Instants at which a reader looks, epoch ms. */
  readonly readsAtMs: readonly number[];
}

/** The version that a row's cells have, by the rules V2 to V5. */
export function versionOf(message: RowsMessage, row: number): Version {
  const { version } = message.rows[row] as ModelRow;
  if (message.stamped) return version;
  const { incarnation, sequence } = message.position;
  return { eventTime: version.eventTime, incarnation, sequence, minor: row };
}
