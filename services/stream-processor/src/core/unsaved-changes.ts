import type { ErasedKey } from "./erased-keys.ts";
import type { KeyEntry, ViewState } from "./partition-state.ts";
import { type KeyName, nameOf } from "./partition-storage.ts";

interface Changes {
  readonly keys: Set<KeyEntry>;
  readonly removed: KeyName[];
  readonly removedViews: { readonly view: string; readonly viewVersion: number }[];
  readonly erased: ErasedKey[];
}

/** What storage does not have yet. A commit takes all of it; one that fails gives it back. */
export class UnsavedChanges {
  #since = noChanges();
  #inCommit = noChanges();

  get isEmpty(): boolean {
    const { keys, removed, removedViews, erased } = this.#since;
    return keys.size + removed.length + removedViews.length + erased.length === 0;
  }

  changed(entry: KeyEntry): void {
    this.#since.keys.add(entry);
  }

  removed(entry: KeyEntry): void {
    this.#since.keys.delete(entry);
    this.#since.removed.push(nameOf(entry));
  }

  removedView({ view }: ViewState): void {
    this.#since.removedViews.push({ view: view.name, viewVersion: view.version });
  }

  erased({ entity, key, eventTime }: ErasedKey): void {
    this.#since.erased.push({ entity, key, eventTime });
  }

  beginCommit(): Changes {
    this.#inCommit = this.#since;
    this.#since = noChanges();
    return this.#inCommit;
  }

  commitFailed(): void {
    for (const entry of this.#inCommit.keys) this.#since.keys.add(entry);
    this.#since.removed.unshift(...this.#inCommit.removed);
    this.#since.removedViews.unshift(...this.#inCommit.removedViews);
    this.#since.erased.unshift(...this.#inCommit.erased);
    this.#inCommit = noChanges();
  }
}

function noChanges(): Changes {
  return { keys: new Set(), removed: [], removedViews: [], erased: [] };
}
