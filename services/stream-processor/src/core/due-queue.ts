/**
 * A priority queue of things that are due at an instant, least first. An entry stands in it about once: pushing a later
 * instant for an entry that is queued already only moves its `dueMs`, and `takeDue` queues it again when it comes up early.
 */
export interface Due {
  /** Epoch ms on the clock. */
  dueMs: number;
  /** Where it stands in the queue; undefined when it does not. */
  queuedMs: number | undefined;
}

interface Slot<T> {
  readonly atMs: number;
  readonly entry: T;
}

export class DueQueue<T extends Due> {
  readonly #heap: Slot<T>[] = [];

  push(entry: T, dueMs: number): void {
    entry.dueMs = dueMs;
    if (entry.queuedMs !== undefined && entry.queuedMs <= dueMs) return;
    entry.queuedMs = dueMs;
    this.#insert({ atMs: dueMs, entry });
  }

  /** Removes and returns the entries due at `nowMs`. */
  takeDue(nowMs: number): T[] {
    const due: T[] = [];
    for (let top = this.#heap[0]; top !== undefined && top.atMs <= nowMs; top = this.#heap[0]) {
      this.#removeTop();
      if (top.entry.queuedMs !== top.atMs) continue;
      top.entry.queuedMs = undefined;
      if (top.entry.dueMs <= nowMs) due.push(top.entry);
      else this.push(top.entry, top.entry.dueMs);
    }
    return due;
  }

  #insert(slot: Slot<T>): void {
    const heap = this.#heap;
    let at = heap.push(slot) - 1;
    while (at > 0) {
      const parent = (at - 1) >>> 1;
      if ((heap[parent] as Slot<T>).atMs <= slot.atMs) break;
      heap[at] = heap[parent] as Slot<T>;
      at = parent;
    }
    heap[at] = slot;
  }

  #removeTop(): void {
    const heap = this.#heap;
    const last = heap.pop() as Slot<T>;
    if (heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && (heap[child + 1] as Slot<T>).atMs < (heap[child] as Slot<T>).atMs) child++;
      if ((heap[child] as Slot<T>).atMs >= last.atMs) break;
      heap[at] = heap[child] as Slot<T>;
      at = child;
    }
    heap[at] = last;
  }
}
