import { readCells } from "@tributary/online-store/core/cell-merge";
import { decodeRecord, type EntityRecord, nonceOf } from "@tributary/online-store/core/record";
import { parseShape, type ShapeLookup, shapeField } from "@tributary/online-store/core/shape";
import { storeKeys } from "@tributary/online-store/core/store-keys";
import type { Cell } from "@tributary/shared/merge/cell";
import { cellId, compareInstants, type Erased, isCovered, rankOf } from "./oracle.ts";
import type { SimulatedRedis } from "./simulated-redis.ts";

/** What a process that has just started reads out of a record: it knows no shape but those that stand beside it. */
export function storedIn(redis: SimulatedRedis, bytes: Buffer): EntityRecord {
  return decodeRecord(bytes, shapesBeside(redis));
}

export function erasedOf(record: EntityRecord): Erased {
  const cells = new Map<string, Cell>();
  for (const stored of record.sections.values())
    for (const cell of readCells(stored))
      cells.set(cellId(stored.shape.view, stored.shape.viewVersion, cell.feature), cell);
  return { cells, erasure: record.erasure };
}

function shapesBeside(redis: SimulatedRedis): ShapeLookup {
  return {
    find: (id) => {
      const text = redis.hashes.get(storeKeys.shapes(0))?.get(shapeField(id));
      return text === undefined ? undefined : parseShape(id, text);
    },
  };
}

/**
 * Looks at every write at the instant at which it is done, as the quickest of readers would.
 * @throws Error when the record cannot be read by a new process, when something in it has gone back, or when a nonce comes again
 */
export function watchWrites() {
  const nonces = new Set<string>();
  return (redis: SimulatedRedis, before: Buffer | undefined, after: Buffer): void => {
    const nonce = nonceOf(after).toString("hex");
    if (nonces.has(nonce)) throw new Error("a nonce came a second time");
    nonces.add(nonce);
    const now = erasedOf(storedIn(redis, after));
    if (before !== undefined) checkForward(erasedOf(storedIn(redis, before)), now);
  };
}

function checkForward(before: Erased, after: Erased): void {
  if (
    before.erasure !== undefined &&
    (after.erasure === undefined || compareInstants(after.erasure, before.erasure) < 0)
  )
    throw new Error("an erasure went back");
  for (const [id, cell] of before.cells) {
    const later = after.cells.get(id);
    if (later === undefined && !isCovered(cell, after.erasure)) throw new Error(`cell ${id} was lost`);
    if (later !== undefined && rankOf(later) < rankOf(cell)) throw new Error(`cell ${id} went back`);
  }
}
