import { createHash } from "node:crypto";
import type { Floors, StreamPosition } from "./stream-position.ts";

/**
 * A server that restarts may have lost its last writes, and one that was emptied all of them; both answer as if nothing had
 * happened. So beside its floors each partition keeps its life: the run id of the server that holds it, which no two runs of a
 * server share, and a random part, because an emptied server keeps its run id.
 *
 *     life = none, or of another run   what is there is not known: a new epoch, then a new life
 *     whole ≠ life                     behind: floors say what is there; the rest is read again from the streams
 *     whole = life                     all that the broker has acknowledged is there
 */
export interface PartitionLife {
  /** Run id of the server that answers for the partition. */
  readonly run: string;
  readonly life: string | undefined;
  readonly whole: string | undefined;
  readonly floors: Floors;
}

export function lifeOf(run: string, random: string): string {
  return `${run}:${random}`;
}

/** The server is still the one that the life was begun on. */
export function isAlive({ run, life }: PartitionLife): boolean {
  return life?.startsWith(`${run}:`) === true;
}

export function isWhole(partition: PartitionLife): boolean {
  return isAlive(partition) && partition.whole === partition.life;
}

/**
 * The epoch that all these lives are: the same to every instance that sees them, and another as soon as one partition begins a
 * new life. It is written nowhere: so no server of a cluster can lose it or hold an older one than the data of the others.
 */
export function epochOf(partitions: readonly PartitionLife[]): string {
  const lives = partitions.map(({ life }) => life ?? "none").join(" ");
  return createHash("sha256").update(lives).digest("base64url").slice(0, epochLength);
}

const epochLength = 22;

/** What has to be read again of one lane into one partition. */
export interface ReplayRange {
  /** Everything up to here is there; 0: nothing is known to be. */
  readonly after: number;
  /** Part of what lies behind `after` is in the stream no longer. */
  readonly hasGap: boolean;
}

/**
 * @param floor how far the partition says it was applied; undefined: it says nothing
 * @param stream the lane's stream, and how far it was ever delivered
 */
export function replayRange(
  floor: StreamPosition | undefined,
  stream: { readonly incarnation: number; readonly firstSequence: number; readonly delivered: number },
): ReplayRange {
  const isRemade = floor !== undefined && floor.incarnation !== stream.incarnation;
  const after = floor === undefined || isRemade ? 0 : floor.sequence;
  const isCut = stream.firstSequence > after + 1 && stream.delivered > after;
  return { after, hasGap: isRemade || isCut };
}
