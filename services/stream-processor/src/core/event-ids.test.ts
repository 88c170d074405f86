import { eventId } from "@tributary/shared/aggregation/event-ids";
import type { Catalog, StreamView } from "@tributary/shared/contracts/catalog";
import type { EventSource } from "@tributary/shared/contracts/source";
import { describe, expect, it } from "vitest";
import type { KeyedChunk, KeyedItem } from "./keyed-item.ts";
import { PartitionBook } from "./partition-book.ts";
import { emptyPartition } from "./partition-state.ts";
import { restorePartition, type StoredKey } from "./partition-storage.ts";

const view = (name: string): StreamView => ({
  lane: "stream",
  name,
  version: 1,
  entity: "e",
  features: [],
  freshnessMs: 1,
  ttlMs: null,
  source: "s",
  keys: {},
  windows: [{ name: "w", ms: 100 }],
  hopMs: 10,
  aggregations: [{ name: "n", op: "count" }],
});
const source: EventSource = {
  kind: "event",
  name: "s",
  version: 1,
  fields: [],
  eventTime: "at",
  disorderMs: 50,
  shards: 1,
  id: "id",
  dedupeMs: 1_000,
};
const catalogOf = (version: number, options: Partial<EventSource> = {}): Catalog => ({
  format: 1,
  version,
  fingerprint: "",
  partitions: 1,
  entities: {},
  sources: { s: { ...source, ...options } },
  views: { a: view("a"), b: view("b") },
  featureServices: {},
});

/** One owner's book, told what arrives; `key` is its count now. */
class Owner {
  readonly counts = { eventsApplied: 0, eventsDuplicate: 0, eventsLate: 0, eventsErased: 0 };
  book: PartitionBook;
  nowMs = 10_000;
  #sequence = 0;
  readonly #stored = new Map<string, StoredKey>();

  constructor(catalog = catalogOf(1)) {
    this.book = new PartitionBook(emptyPartition(0, catalog, { incarnation: 1, position: 0 }));
  }

  give(event: { id?: string; eventMs: number; keys?: KeyedItem["projections"] }): void {
    const { id, eventMs, keys = [[0, "k"]] } = event;
    this.#sequence += 1;
    const item = { sequence: this.#sequence, index: 0, arrivalMs: this.nowMs, eventMs, projections: keys, values: [] };
    this.#apply([id === undefined ? item : { ...item, id: eventId(id) }]);
  }

  mark(markMs: number): void {
    this.#apply([], markMs);
  }

  tick(): void {
    const clock = { nowMs: this.nowMs, rate: 0 };
    this.book.acknowledged(this.book.evaluate(this.book.due(this.nowMs), clock).emit, clock);
  }

  /** What the next owner begins with. */
  handOver(catalog = this.book.state.catalog): void {
    const content = this.book.beginCommit();
    for (const { view: name, key } of content.removed) this.#stored.delete(`${name}/${key}`);
    for (const key of content.saved) this.#stored.set(`${key.view}/${key.key}`, key);
    const { state, unpublished, told } = restorePartition(0, catalog, {
      stored: content,
      keys: [...this.#stored.values()],
      erased: [],
    });
    this.book = new PartitionBook(state);
    this.book.resume(unpublished, told, { nowMs: this.nowMs, rate: 0 });
  }

  get keys(): number {
    return this.book.state.views.get("a")?.keys.size ?? 0;
  }

  #apply(items: readonly KeyedItem[], markMs?: number): void {
    const sequence = this.book.state.position + 1;
    const chunk: KeyedChunk = {
      source: "s",
      sourceVersion: 1,
      shard: 0,
      entity: "e",
      partition: 0,
      incarnation: 1,
      catalogVersion: 1,
      producer: "test",
      fence: 1,
      views: [
        ["a", 1],
        ["b", 1],
      ],
      fields: [],
      items,
      ...(markMs !== undefined && { markMs }),
    };
    this.book.apply(chunk, { sequence, nowMs: this.nowMs, rate: 0, counts: this.counts });
  }
}

describe("an event with an id", () => {
  it("counts once for a key, by whichever of its views, and again for another key", () => {
    const owner = new Owner();
    const both = [
      [0, "k"],
      [1, "k"],
    ] as const;
    owner.give({ id: "1", eventMs: 9_990, keys: [[0, "k"]] });
    owner.give({ id: "1", eventMs: 9_990, keys: both });
    expect(owner.counts).toMatchObject({ eventsApplied: 2, eventsDuplicate: 0 });
    owner.give({ id: "1", eventMs: 9_990, keys: both });
    owner.give({ id: "1", eventMs: 9_990, keys: [[0, "other"]] });
    expect(owner.counts).toMatchObject({ eventsApplied: 3, eventsDuplicate: 1 });
  });

  it("counts again when its event time is further away than dedupe, or when it has none", () => {
    const owner = new Owner();
    for (const eventMs of [8_000, 9_000, 7_000, 9_001, 6_999]) owner.give({ id: "1", eventMs });
    expect(owner.counts).toMatchObject({ eventsApplied: 3, eventsDuplicate: 2 });
    owner.give({ eventMs: 9_001 });
    owner.give({ eventMs: 9_001 });
    expect(owner.counts).toMatchObject({ eventsApplied: 5, eventsDuplicate: 2 });
  });

  it("is known until all that arrived dedupe and disorder later has been read", () => {
    const owner = new Owner();
    owner.give({ id: "1", eventMs: 8_950 });
    owner.mark(10_000);
    owner.give({ id: "1", eventMs: 8_950 });
    expect(owner.counts.eventsDuplicate).toBe(1);
    owner.mark(10_001);
    owner.give({ id: "1", eventMs: 8_950 });
    expect(owner.counts).toMatchObject({ eventsApplied: 2, eventsDuplicate: 1 });
  });

  it("keeps its key until it may be forgotten, although its windows are empty, through a takeover too", () => {
    const owner = new Owner();
    owner.give({ id: "1", eventMs: 9_990 });
    owner.tick();
    owner.nowMs = 11_020;
    owner.mark(11_020);
    owner.tick();
    owner.handOver();
    expect([owner.keys, owner.book.due(owner.nowMs).length]).toEqual([1, 0]);
    owner.give({ id: "1", eventMs: 10_980 });
    expect(owner.counts.eventsDuplicate).toBe(1);
    owner.nowMs = 11_041;
    owner.tick();
    owner.nowMs = 11_051;
    owner.mark(11_041);
    owner.tick();
    expect(owner.keys).toBe(0);
  });

  it("is looked at about once a hop while its key waits for a mark", () => {
    const owner = new Owner();
    owner.give({ id: "1", eventMs: 9_990 });
    owner.tick();
    owner.nowMs = 11_041;
    owner.tick();
    expect([owner.book.due(11_050).length, owner.book.due(11_051).length]).toEqual([0, 1]);
  });

  it("is forgotten for good before a longer reach is taken up, whichever owner still held it", () => {
    const longer = catalogOf(2, { dedupeMs: 5_000 });
    const known = [false, true].map((isHandedOver) => {
      const owner = new Owner();
      owner.give({ id: "1", eventMs: 8_950 });
      owner.give({ id: "2", eventMs: 9_950 });
      owner.mark(10_001);
      owner.tick();
      owner.handOver();
      owner.book.switchCatalog(longer);
      if (isHandedOver) owner.handOver(longer);
      owner.give({ id: "1", eventMs: 8_950 });
      owner.give({ id: "2", eventMs: 9_950 });
      return owner.counts;
    });
    const wanted = { eventsApplied: 3, eventsDuplicate: 1 };
    expect(known).toEqual([expect.objectContaining(wanted), expect.objectContaining(wanted)]);
  });
});
