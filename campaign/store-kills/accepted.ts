import type { ChunkCell } from "@tributary/shared/contracts/chunk";
import { compareVersions, type Version } from "@tributary/shared/contracts/version";

export interface AcceptedCell {
  readonly version: Version;
  readonly value: Exclude<ChunkCell, undefined>;
}

/** By cell id. */
export type Best = ReadonlyMap<string, AcceptedCell>;

/** What the broker has acknowledged: of every cell the newest. Every version is given once, so there are no ties. */
export class Accepted {
  readonly best = new Map<string, AcceptedCell>();
  messages = 0;
  /** Cells of keys that are written once: nothing beats them, so no loss of theirs is hidden. */
  #once = new Map<string, AcceptedCell>();

  add(cells: readonly IdentifiedCell[], once: readonly IdentifiedCell[] = []): void {
    this.messages += 1;
    for (const [id, cell] of once) this.#once.set(id, cell);
    for (const [id, cell] of cells) {
      const holder = this.best.get(id);
      if (holder === undefined || compareVersions(cell.version, holder.version) > 0) this.best.set(id, cell);
    }
  }

  /** Those since the last time. */
  takeOnce(): Best {
    const once = this.#once;
    this.#once = new Map();
    return once;
  }
}

export type IdentifiedCell = readonly [id: string, cell: AcceptedCell];

/** A view's cell in one record. */
export function cellIdOf(key: string, view: string, feature: string): string {
  return `${key} ${view} ${feature}`;
}

export function recordKeyOf(cellId: string): string {
  return cellId.slice(0, cellId.indexOf(" "));
}
