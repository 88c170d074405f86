import { type Lane, lanes } from "@tributary/shared/contracts/catalog";
import type { Floors, Hold, PendingConfirmation, StreamPosition } from "./confirmation.ts";

/** How progress is written in Redis hashes (see store-keys.ts). A field that cannot be read is left out: ages only get larger. */
export function floorValue({ incarnation, sequence }: StreamPosition): string {
  return `${incarnation}:${sequence}`;
}

export function readFloors(hash: Readonly<Record<string, string>>): Floors {
  const floors = new Map<Lane, StreamPosition>();
  for (const [lane, text] of Object.entries(hash)) {
    const [incarnation, sequence] = text.split(":").map(Number);
    if (isLane(lane) && isCount(incarnation) && isCount(sequence)) floors.set(lane, { incarnation, sequence });
  }
  return floors;
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

export function readPending(hash: Readonly<Record<string, string>>): PendingConfirmation[] {
  return Object.entries(hash).flatMap(([field, text]) => {
    const [lane, incarnation, sequence, view, version] = split(field);
    const [viewVersion, confirmedAtMs] = [Number(version), Number(text)];
    const isPlace = isLane(lane) && isCount(incarnation) && isCount(sequence) && view !== undefined;
    if (!isPlace || !isCount(viewVersion) || !Number.isSafeInteger(confirmedAtMs)) return [];
    return [{ lane, incarnation, sequence, view, viewVersion, confirmedAtMs }];
  });
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
