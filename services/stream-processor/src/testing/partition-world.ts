import { eventId } from "@tributary/shared/aggregation/event-ids";
import { type OracleEvent, recount } from "@tributary/shared/aggregation/oracle";
import type { Catalog, StreamView } from "@tributary/shared/contracts/catalog";
import { compareVersions } from "@tributary/shared/contracts/version";
import { expect } from "vitest";
import type { ErasedKey } from "../core/erased-keys.ts";
import type { KeyedChunk, KeyedItem } from "../core/keyed-item.ts";
import { type CommitContent, PartitionBook } from "../core/partition-book.ts";
import { emptyPartition } from "../core/partition-state.ts";
import { restorePartition, type StoredKey } from "../core/partition-storage.ts";
import type { Told } from "../core/row-emission.ts";
import type { RowToTell } from "../core/rows-chunk.ts";

/**
 * A partition's life in memory: routers that crash and come back, zombies of both kinds, lost acknowledgements, failed
 * commits, takeovers, a clock that is paused behind where it was seen, producers that send an event again, keys that are erased. Whatever happens,
 * the rows merged by version are what a recount of the events gives, each counted once.
 */
const hopMs = 10;
export const view: StreamView = {
  lane: "stream",
  name: "v",
  version: 1,
  entity: "e",
  features: [],
  freshnessMs: 1,
  ttlMs: null,
  source: "s",
  keys: {},
  windows: [
    { name: "short", ms: 30 },
    { name: "long", ms: 100 },
  ],
  hopMs,
  aggregations: [
    { name: "n", op: "count" },
    { name: "sum", op: "sum", field: "x" },
    { name: "max", op: "max", field: "x" },
  ],
};
const disorderMs = 30;
const dedupeMs = 60;
export const catalog: Catalog = {
  format: 1,
  version: 1,
  fingerprint: "",
  partitions: 1,
  entities: {},
  sources: {
    s: { kind: "event", name: "s", version: 1, fields: [], eventTime: "at", disorderMs, shards: 2, id: "id", dedupeMs },
  },
  views: { v: view },
  featureServices: {},
};

interface Event {
  readonly sequence: number;
  /** Of the event, whichever sending of it this is. */
  readonly number: number;
  readonly key: string;
  readonly eventMs: number;
  readonly x: number;
}

export function chunkOf(shard: number, items: readonly KeyedItem[], markMs?: number): KeyedChunk {
  return {
    source: "s",
    sourceVersion: 1,
    shard,
    entity: "e",
    partition: 0,
    incarnation: 1,
    catalogVersion: 1,
    producer: "test",
    fence: 1,
    views: [["v", 1]],
    fields: ["x"],
    items,
    ...(markMs !== undefined && { markMs }),
  };
}

/** What a partition's series holds. */
type Item = KeyedChunk | ErasedKey;

/** Reads its shard's events in order; another one, stalled or crashed, may read them again. */
export class Router {
  position: number;
  readonly shard: number;
  constructor(shard: number, position: number) {
    this.shard = shard;
    this.position = position;
  }
  publish(events: readonly Event[], log: Item[], count: number, nowMs: number): void {
    const next = events
      .filter(({ sequence }) => sequence % 2 === this.shard && sequence > this.position)
      .slice(0, count);
    if (next.length === 0) return;
    this.position = next.at(-1)?.sequence ?? this.position;
    const items = next.map(
      ({ sequence, number, key, eventMs, x }): KeyedItem => ({
        sequence,
        index: 0,
        arrivalMs: nowMs,
        eventMs,
        projections: [[0, key]],
        values: [x],
        id: eventId(number),
      }),
    );
    log.push(chunkOf(this.shard, items));
  }
}

/** Of an erasure that reaches the partition late, a tile goes as a whole. */
const tileEndMs = (instantMs: number) => Math.floor(instantMs / hopMs) * hopMs + hopMs;

export type Acknowledge = "yes" | "lost" | "not sent";

/** An owner that has lost its lease: what it had in flight then may be published at any time. */
interface Zombie {
  readonly book: PartitionBook;
  inFlight: readonly RowToTell[];
}

/** While it runs: schedules are told anew 6 ms ahead, and the clock may be paused 40 ms behind where it was seen. */
export const runningRate = 0.02;
const seenAheadMs = 40;

export class World {
  readonly events: Event[] = [];
  readonly log: Item[] = [];
  readonly rows = new Map<string, Told>();
  routers = [new Router(0, 0), new Router(1, 0)];
  zombieRouters: Router[] = [];
  routed = [0, 0];
  #marks = [0, 0];
  keys = new Map<string, StoredKey>();
  stored: CommitContent | undefined;
  storedErased: ErasedKey[] = [];
  book = new PartitionBook(emptyPartition(0, catalog, { incarnation: 7, position: 0 }));
  zombies: Zombie[] = [];
  nowMs = 1_000;
  furthestMs = 1_000;
  #isPaused = false;
  /** When it was paused or resumed last. */
  #changedMs = Number.NEGATIVE_INFINITY;
  /** What a zombie evaluated although its lease had run out: the clock does not stand behind it (an owner checks its lease). */
  #zombieMs = Number.NEGATIVE_INFINITY;
  readonly counts = { eventsApplied: 0, eventsDuplicate: 0, eventsLate: 0, eventsErased: 0 };

  clock() {
    const isSteady = !this.#isPaused && this.nowMs >= this.#changedMs + seenAheadMs;
    return { nowMs: this.nowMs, rate: this.#isPaused ? 0 : runningRate, isSteady };
  }

  read(book: PartitionBook, count: number): void {
    for (let i = 0; i < count; i++) {
      const item = this.log[book.state.position];
      if (item === undefined) return;
      if ("eventTime" in item) book.applyErasure(item, book.state.position + 1);
      else book.apply(item, { ...this.clock(), sequence: book.state.position + 1, counts: this.counts });
    }
  }

  tick(book: PartitionBook, acknowledge: Acknowledge): void {
    const { emit } = book.evaluate(book.due(this.nowMs), this.clock());
    if (acknowledge !== "not sent") this.#publish(emit);
    if (acknowledge === "yes") book.acknowledged(emit, this.clock());
    else book.failed(emit);
  }

  #publish(rows: readonly RowToTell[]): void {
    for (const { entry, told } of rows) {
      const before = this.rows.get(entry.key);
      if (before === undefined || compareVersions(told.version, before.version) > 0) this.rows.set(entry.key, told);
    }
  }

  tickZombie(zombie: Zombie, count: number, acknowledge: Acknowledge): void {
    this.#publish(zombie.inFlight);
    zombie.inFlight = [];
    this.read(zombie.book, count);
    this.#zombieMs = this.nowMs;
    this.tick(zombie.book, acknowledge);
  }

  commit(isStored: boolean): void {
    const content = this.book.beginCommit();
    if (!isStored) {
      this.book.commitFailed();
      return;
    }
    this.stored = content;
    this.storedErased.push(...content.erased);
    for (const { key } of content.removed) this.keys.delete(key);
    for (const key of content.saved) this.keys.set(key.key, key);
  }

  takeOver(keepZombie: boolean): void {
    if (keepZombie) {
      const { emit } = this.book.evaluate(this.book.due(this.nowMs), this.clock());
      this.zombies.push({ book: this.book, inFlight: emit });
      this.book.failed(emit);
    }
    if (this.stored === undefined)
      this.book = new PartitionBook(emptyPartition(0, catalog, { incarnation: 7, position: 0 }));
    else {
      const [keys, erased] = [[...this.keys.values()], [...this.storedErased]];
      const restored = restorePartition(0, catalog, { stored: this.stored, keys, erased });
      this.book = new PartitionBook(restored.state);
      this.book.resume(restored.unpublished, restored.told, this.clock());
    }
    this.read(this.book, this.log.length);
    this.book.takenOver(this.clock());
  }

  #settle(): void {
    this.read(this.book, this.log.length);
    this.tick(this.book, "yes");
  }

  /** C1: the clock only when nothing is pending. */
  mark(shard: number): void {
    const { position } = this.routers[shard] as Router;
    const isPending = this.events.some(({ sequence }) => sequence % 2 === shard && sequence > position);
    const before = this.#marks[shard] as number;
    this.#marks[shard] = isPending ? before : Math.max(before, this.nowMs);
    this.log.push(chunkOf(shard, [], this.#marks[shard]));
  }

  /** A producer sends an event again, with its own or a slightly other event time, while its id has to be known. */
  resend(which: number, byMs: number): void {
    const first = this.events.filter((event, i) => event.number === i + 1).at(-1 - which);
    if (first === undefined) return;
    const eventMs = first.eventMs + byMs;
    if (this.furthestMs > Math.min(eventMs, first.eventMs) + disorderMs + dedupeMs) return;
    this.events.push({ ...first, sequence: this.events.length + 1, eventMs });
  }

  /** What counts, told naively from the log: of each origin the first, and of each of its events the first sending. */
  counted(key: string): OracleEvent[] {
    const read = [0, 0];
    const numbers = new Map<number, number>();
    let counted: OracleEvent[] = [];
    let erasedMs = Number.NEGATIVE_INFINITY;
    for (const item of this.log) {
      if ("eventTime" in item) {
        if (item.key !== key || item.eventTime <= erasedMs) continue;
        erasedMs = item.eventTime;
        counted = counted.filter(({ timeMs }) => timeMs >= tileEndMs(erasedMs));
        for (const [number, timeMs] of numbers) if (timeMs <= erasedMs) numbers.delete(number);
        continue;
      }
      for (const { sequence, values } of item.items) {
        if (sequence <= (read[item.shard] as number)) continue;
        read[item.shard] = sequence;
        const { key: given, number, eventMs } = this.events[sequence - 1] as Event;
        if (given !== key || eventMs <= erasedMs || numbers.has(number)) continue;
        numbers.set(number, eventMs);
        counted.push({ timeMs: eventMs, fields: { x: values[0] ?? null } });
      }
    }
    return counted;
  }

  /** Asked for now, or an item of before once more. */
  erase(key: string, eventTime: number): void {
    this.log.push({ entity: "e", key, eventTime });
  }

  eraseAgain(which: number): void {
    const items = this.log.filter((item) => "eventTime" in item);
    const item = items.at(-1 - which);
    if (item !== undefined) this.log.push(item);
  }

  /** As the store shows it, which erases by itself whatever the owners do. */
  shown(key: string): Told | undefined {
    const row = this.rows.get(key);
    const erased = this.log.flatMap((item) => ("eventTime" in item && item.key === key ? [item.eventTime] : []));
    return row === undefined || row.version.eventTime <= Math.max(...erased) ? undefined : row;
  }

  /** Paused behind where it was seen. */
  pause(behindMs: number): void {
    if (this.#isPaused) return;
    this.#isPaused = true;
    this.nowMs = Math.max(this.nowMs - behindMs, this.furthestMs - seenAheadMs, this.#changedMs, this.#zombieMs);
    this.#changeClock();
  }

  pass(ms: number): void {
    if (this.#isPaused) {
      this.#isPaused = false;
      this.#changeClock();
    }
    this.nowMs += ms;
    this.furthestMs = Math.max(this.furthestMs, this.nowMs);
  }

  #changeClock(): void {
    this.#changedMs = this.nowMs;
    this.book.clockChanged(this.clock());
  }

  /**
   * After reading everything and a tick that was acknowledged, what is stored is a recount of what was routed; where the
   * clock may stand behind what was evaluated, and the book says so, once route's next mark has moved the position.
   */
  check(): void {
    this.#settle();
    if (this.book.unpublished > 0) {
      this.mark(0);
      this.#settle();
    }
    expect(this.book.unpublished).toBe(0);
    for (const key of ["a", "b"]) {
      const given = this.counted(key);
      if (given.length === 0 && this.shown(key) === undefined) continue;
      expect([key, this.nowMs, read(this.shown(key), this.nowMs)]).toEqual([
        key,
        this.nowMs,
        recount(view, given, this.nowMs),
      ]);
    }
  }
}

export function read(told: Told | undefined, nowMs: number): (number | null)[] | string {
  if (told === undefined) return "nothing";
  if (told.row.schedule.untilMs < nowMs) return "not known any more";
  const values = [...told.row.values];
  for (const step of told.row.schedule.steps)
    if (step.atMs <= nowMs) for (const [column, value] of step.changes) values[column] = value as number | null;
  return values;
}
