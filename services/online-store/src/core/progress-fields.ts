import { type Lane, lanes } from "@tributary/shared/contracts/catalog";
import type { Hold, PendingConfirmation } from "./confirmation.ts";
import type { Filled } from "./filled.ts";
import type { Floors, StreamPosition } from "./stream-position.ts";

/** How progress is written in Redis hashes (see store-keys.ts). A field that cannot be read is left out: ages only get larger. */
export function floorValue({ incarnation, sequence }: StreamPosition): string {
  return `${incarnation}:${sequence}`;
}

export function readFloors(hash: Readonly<Record<string, string>>): Floors {
  const floors = new Map<Lane, StreamPosition>();
  for (const [lane, text] of Object.entries(hash)) {
    const position = readPosition(text);
    if (isLane(lane) && position !== undefined) floors.set(lane, position);
  }
  return floors;
}

/** Values as of floors. */
export function readFilled(hash: Readonly<Record<string, string>>): Filled {
  const positions = Object.entries(hash).map(([id, text]) => [id, readPosition(text)] as const);
  return new Map(positions.flatMap(([id, position]) => (position === undefined ? [] : [[id, position] as const])));
}

function readPosition(text: string): StreamPosition | undefined {
  const [incarnation, sequence] = text.split(":").map(Number);
  return isCount(incarnation) && isCount(sequence) ? { incarnation, sequence } : undefined;
}

export function holdField({ lane, incarnation, sequence, view }: Hold): string {
  return `${lane}:${incarnation}:${sequence}:${view}`;
}

export function readHolds(hash: Readonly<Record<string, string>>): Hold[] {
  return Object.keys(hash).flatMap((field) => {
    const [lane, incarnation, sequence, view] = split(field);
    const isHold = isLane(lane) && isCount(incarnation) && isCount(sequence) && view !== undefined;
    return isHold ? [{ lane, incarnation, sequence, view }] : [];
  });
}

export function pendingField(entry: PendingConfirmation): string {
  return `${entry.lane}:${entry.incarnation}:${entry.sequence}:${entry.view}:${entry.viewVersion}`;
}

/** `confirmedAtMs`, and behind it `:fillsBelow` in one that fills; older builds leave such a one out. */
export function pendingValue({ confirmedAtMs, fillsBelow }: PendingConfirmation): string {
  return fillsBelow === undefined ? String(confirmedAtMs) : `${confirmedAtMs}:${fillsBelow}`;
}

export function readPending(hash: Readonly<Record<string, string>>): PendingConfirmation[] {
  return Object.entries(hash).flatMap(([field, text]) => {
    const [lane, incarnation, sequence, view, version] = split(field);
    const viewVersion = Number(version);
    const said = readPendingValue(text);
    const isPlace = isLane(lane) && isCount(incarnation) && isCount(sequence) && view !== undefined;
    if (!isPlace || !isCount(viewVersion) || said === undefined) return [];
    return [{ lane, incarnation, sequence, view, viewVersion, ...said }];
  });
}

function readPendingValue(text: string): Pick<PendingConfirmation, "confirmedAtMs" | "fillsBelow"> | undefined {
  const [confirmedAtMs, fillsBelow, ...more] = text.split(":").map(Number);
  if (!Number.isSafeInteger(confirmedAtMs) || more.length > 0) return undefined;
  const at = confirmedAtMs as number;
  if (fillsBelow === undefined) return { confirmedAtMs: at };
  return isCount(fillsBelow) ? { confirmedAtMs: at, fillsBelow } : undefined;
}

export function readConfirmed(hash: Readonly<Record<string, string>>): Map<string, number> {
  return new Map(Object.entries(hash).map(([id, text]) => [id, Number(text)]));
}

type Fields = [lane?: string, incarnation?: number, sequence?: number, view?: string, version?: string];

function split(field: string): Fields {
  const [lane, incarnation, sequence, view, version] = field.split(":");
  return [lane, Number(incarnation), Number(sequence), view, version] as Fields;
}

function isLane(text: string | undefined): text is Lane {
  return lanes.some((lane) => lane === text);
}

function isCount(value: number | undefined): value is number {
  return value !== undefined && Number.isSafeInteger(value) && value >= 0;
}
