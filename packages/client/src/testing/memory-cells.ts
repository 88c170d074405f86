import type { AdmittedRow } from "@tributary/shared/admission/admission";
import type { Version } from "@tributary/shared/contracts/version";
import type { Cell } from "@tributary/shared/merge/cell";
import { mergeCells } from "@tributary/shared/merge/merge-cells";

/** What the store keeps in Redis, in a map: the cells of each view and entity, by the store's own merge. */
export class MemoryCells {
  readonly #cells = new Map<string, readonly Cell[]>();

  of(view: string, key: string): readonly Cell[] {
    return this.#cells.get(place(view, key)) ?? [];
  }

  merge(view: string, { key, cells }: Pick<AdmittedRow, "key" | "cells">, version: Version): void {
    const incoming = [...cells].map(([feature, value]): Cell => ({ feature, value, version }));
    const merged = mergeCells(this.of(view, key), incoming);
    if (merged) this.#cells.set(place(view, key), merged);
  }
}

/** A view's name holds no such character. */
function place(view: string, key: string): string {
  return `${view}\n${key}`;
}
