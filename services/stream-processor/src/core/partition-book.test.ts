import { eventId } from "@tributary/shared/aggregation/event-ids";
import { type OracleEvent, recount } from "@tributary/shared/aggregation/oracle";
import type { Catalog, StreamView } from "@tributary/shared/contracts/catalog";
import { compareVersions } from "@tributary/shared/contracts/version";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ErasedKey } from "./erased-keys.ts";
import type { KeyedChunk, KeyedItem } from "./keyed-item.ts";
import { leastMark } from "./marks.ts";
import { type CommitContent, PartitionBook } from "./partition-book.ts";
import { emptyPartition } from "./partition-state.ts";
import { restorePartition, type StoredKey } from "./partition-storage.ts";
import type { Told } from "./row-emission.ts";
import type { RowToTell } from "./rows-chunk.ts";

/**
 * A partition's life in memory: routers that crash and come back, zombies of both kinds, lost acknowledgements, failed
 * commits, takeovers, a clock that is paused behind where it was seen, producers that send an event again, keys that are erased. Whatever happens,
 * the rows merged by version are what a recount of the events gives, each counted once.
 */
const hopMs = 10;
const view: StreamView = {
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
const catalog: Catalog = {
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

function chunkOf(shard: number, items: readonly KeyedItem[], markMs?: number): KeyedChunk {
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
class Router {
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

type Acknowledge = "yes" | "lost" | "not sent";

/** An owner that has lost its lease: what it had in flight then may be published at any time. */
interface Zombie {
  readonly book: PartitionBook;
  inFlight: readonly RowToTell[];
}

/** While it runs: schedules are told anew 6 ms ahead, and the clock may be paused 40 ms behind where it was seen. */
const runningRate = 0.02;
const seenAheadMs = 40;

class World {
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

function read(told: Told | undefined, nowMs: number): (number | null)[] | string {
  if (told === undefined) return "nothing";
  if (told.row.schedule.untilMs < nowMs) return "not known any more";
  const values = [...told.row.values];
  for (const step of told.row.schedule.steps)
    if (step.atMs <= nowMs) for (const [column, value] of step.changes) values[column] = value as number | null;
  return values;
}

const acknowledge = fc.constantFrom<Acknowledge>("yes", "yes", "lost", "not sent");
const command = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant("event" as const),
      key: fc.constantFrom("a", "b"),
      agoMs: fc.oneof(fc.integer({ min: -30, max: 150 }), fc.integer({ min: -5, max: 15 })),
      x: fc.integer({ min: -9, max: 9 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("resend" as const),
      which: fc.nat(6),
      byMs: fc.oneof(fc.constant(0), fc.integer({ min: -30, max: 30 })),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("mark" as const), shard: fc.nat(1) }) },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant("route" as const),
      shard: fc.nat(1),
      count: fc.integer({ min: 1, max: 4 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("commit position" as const), shard: fc.nat(1) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("restart route" as const), shard: fc.nat(1) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("zombie route" as const),
      which: fc.nat(3),
      count: fc.integer({ min: 1, max: 4 }),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("read" as const), count: fc.integer({ min: 1, max: 3 }) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("tick" as const), acknowledge }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("commit" as const), isStored: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("take over" as const), keepZombie: fc.boolean() }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant("zombie owner" as const), which: fc.nat(3), count: fc.nat(2), acknowledge }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("time" as const), ms: fc.integer({ min: 1, max: 60 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("time" as const), ms: fc.integer({ min: 100, max: 400 }) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("pause" as const), ms: fc.integer({ min: 0, max: 40 }) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("erase" as const),
      key: fc.constantFrom("a", "b"),
      aheadMs: fc.integer({ min: -60, max: 40 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("erase again" as const), which: fc.nat(2) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("check" as const) }) },
);
type Command = typeof command extends fc.Arbitrary<infer T> ? T : never;

function run(world: World, step: Command): void {
  const { nowMs } = world;
  switch (step.do) {
    case "event": {
      const sequence = world.events.length + 1;
      world.events.push({ sequence, number: sequence, key: step.key, eventMs: nowMs - step.agoMs, x: step.x });
      return;
    }
    case "resend":
      world.resend(step.which, step.byMs);
      return;
    case "mark":
      world.mark(step.shard);
      return;
    case "route":
      world.routers[step.shard]?.publish(world.events, world.log, step.count, nowMs);
      return;
    case "commit position":
      world.routed[step.shard] = world.routers[step.shard]?.position ?? 0;
      return;
    case "restart route":
      world.zombieRouters.push(world.routers[step.shard] as Router);
      world.routers[step.shard] = new Router(step.shard, world.routed[step.shard] as number);
      return;
    case "zombie route":
      world.zombieRouters[step.which % Math.max(1, world.zombieRouters.length)]?.publish(
        world.events,
        world.log,
        step.count,
        nowMs,
      );
      return;
    case "read":
      world.read(world.book, step.count);
      return;
    case "tick":
      world.tick(world.book, step.acknowledge);
      return;
    case "commit":
      world.commit(step.isStored);
      return;
    case "take over":
      world.takeOver(step.keepZombie);
      return;
    case "zombie owner": {
      const zombie = world.zombies[step.which % Math.max(1, world.zombies.length)];
      if (zombie === undefined) return;
      world.tickZombie(zombie, step.count, step.acknowledge);
      return;
    }
    case "time":
      world.pass(step.ms);
      return;
    case "pause":
      world.pause(step.ms);
      return;
    case "erase":
      world.erase(step.key, nowMs + step.aheadMs);
      return;
    case "erase again":
      world.eraseAgain(step.which);
      return;
    case "check":
      world.check();
      return;
    default:
      step satisfies never;
  }
}

describe("a partition", () => {
  it("publishes what a recount gives, through crashes, takeovers, zombies, resends and erasures", () => {
    fc.assert(
      fc.property(fc.array(command, { minLength: 10, maxLength: 60, size: "max" }), (steps) => {
        const world = new World();
        for (const step of steps) run(world, step);
        for (const router of world.routers) router.publish(world.events, world.log, 1_000, world.nowMs);
        world.check();
        world.pass(15);
        world.check();
        world.pass(500);
        world.check();
      }),
      { numRuns: 1_000 },
    );
  });
});

const item = (sequence: number, key: string, eventMs: number, x = 1): KeyedItem => ({
  sequence,
  index: 0,
  arrivalMs: 1_000,
  eventMs,
  projections: [[0, key]],
  values: [x],
});

describe("the rules' cases", () => {
  it("O1: an origin of one shard does not make another shard's lower one late", () => {
    const world = new World();
    world.log.push(
      chunkOf(0, [item(100, "a", 990)]),
      chunkOf(1, [item(91, "a", 991)]),
      chunkOf(0, [item(100, "a", 990)]),
    );
    world.read(world.book, 3);
    expect(world.counts).toMatchObject({ eventsApplied: 2, eventsDuplicate: 1 });
  });

  it("V3: an event that no window takes any more still gives its key its event time", () => {
    const world = new World();
    world.log.push(chunkOf(0, [item(2, "a", 990, 5)]));
    world.read(world.book, 1);
    world.tick(world.book, "lost");
    world.pass(1_000);
    world.takeOver(false);
    world.tick(world.book, "yes");
    expect(world.rows.get("a")?.version.eventTime).toBe(990);
    expect(read(world.rows.get("a"), world.nowMs)).toEqual([0, 0, null, null, null, null]);
  });

  it("V3: what a takeover replays has a lower position than what was published", () => {
    const world = new World();
    for (let i = 1; i <= 10; i++) world.log.push(chunkOf(0, [item(2 * i, "a", 980 + i)]));
    world.read(world.book, 5);
    world.commit(true);
    world.read(world.book, 5);
    world.tick(world.book, "lost");
    const published = world.rows.get("a")?.version;
    const late = new PartitionBook(
      restorePartition(0, catalog, {
        stored: world.stored as CommitContent,
        keys: [...world.keys.values()],
        erased: [],
      }).state,
    );
    world.read(late, 2);
    world.tick(late, "yes");
    expect(world.rows.get("a")?.version).toEqual(published);
  });

  it("S1: a commit names the key whose row is not acknowledged, and the successor publishes it", () => {
    const world = new World();
    world.log.push(chunkOf(0, [item(2, "a", 998)]), chunkOf(0, [item(4, "a", 999)]));
    world.read(world.book, 1);
    world.tick(world.book, "yes");
    world.read(world.book, 1);
    world.commit(true);
    world.takeOver(false);
    world.tick(world.book, "yes");
    expect(read(world.rows.get("a"), world.nowMs)?.[0]).toBe(2);
  });

  it("S2: a successor publishes a key touched since the commit although it ends where it was", () => {
    const world = new World();
    world.log.push(chunkOf(0, [item(2, "a", 998, 1)]));
    world.read(world.book, 1);
    world.tick(world.book, "yes");
    world.commit(true);
    world.log.push(chunkOf(0, [item(4, "a", 901, 7)]));
    world.read(world.book, 1);
    world.tick(world.book, "yes");
    const y = world.rows.get("a") as Told;
    world.pass(15);
    world.takeOver(false);
    world.tick(world.book, "yes");
    const row = world.rows.get("a") as Told;
    expect(row).not.toBe(y);
    expect(compareVersions(row.version, y.version)).toBeGreaterThan(0);
    expect(read(row, world.nowMs)).toEqual([1, 1, 1, 1, 1, 1]);
  });

  it.each([
    ["before the takeover", ["pause", "take over"]],
    ["after it", ["take over", "pause"]],
    ["after it, when the successor has looked already", ["take over", "tick", "pause"]],
    ["before it and resumed since", ["pause", "resume", "take over"]],
  ] as const)(
    "a clock paused %s behind what a dead owner told: told again when a mark has moved the position",
    (_, steps) => {
      const world = new World();
      world.log.push(chunkOf(0, [item(2, "a", 985)]));
      world.read(world.book, 1);
      world.tick(world.book, "yes");
      world.commit(true);
      world.log.push(chunkOf(0, [item(4, "a", 995)]));
      world.read(world.book, 1);
      world.tick(world.book, "yes");
      for (const step of steps) {
        if (step === "pause") world.pause(10);
        else if (step === "resume") world.pass(2);
        else if (step === "tick") world.tick(world.book, "yes");
        else world.takeOver(false);
      }
      world.tick(world.book, "yes");
      const isAhead = world.nowMs < 996;
      expect([isAhead, read(world.rows.get("a"), world.nowMs)?.[0]]).toEqual([true, 2]);
      expect(world.book.unpublished).toBe(1);
      world.mark(0);
      world.read(world.book, 1);
      world.tick(world.book, "yes");
      expect([world.book.unpublished, read(world.rows.get("a"), world.nowMs)?.[0]]).toEqual([0, 1]);
    },
  );

  it("a takeover while the clock runs on tells nothing again", () => {
    const world = new World();
    world.log.push(chunkOf(0, [item(2, "a", 990)]));
    world.read(world.book, 1);
    world.tick(world.book, "yes");
    world.commit(true);
    const row = world.rows.get("a");
    world.takeOver(false);
    for (let i = 0; i < 5; i++) {
      world.pass(1);
      world.mark(0);
      world.read(world.book, 1);
      world.tick(world.book, "yes");
    }
    expect(world.rows.get("a")).toBe(row);
  });

  it("says nothing when nothing changed, and nothing about keys whose windows are empty for good", () => {
    const world = new World();
    world.log.push(chunkOf(0, [item(2, "a", 998)]));
    world.read(world.book, 1);
    world.tick(world.book, "yes");
    const row = world.rows.get("a");
    for (let i = 0; i < 40; i++) {
      world.pass(10);
      world.tick(world.book, "yes");
    }
    expect(world.rows.get("a")).toBe(row);
    expect(world.book.state.views.get("v")?.keys.size).toBe(0);
    expect(read(row, world.nowMs)).toEqual([0, 0, null, null, null, null]);
  });

  it("R5, V5: what was told is told again as it was, and an event that comes meanwhile wins", () => {
    const world = new World();
    world.log.push(chunkOf(0, [item(2, "a", 998)]));
    world.read(world.book, 1);
    world.tick(world.book, "yes");
    const before = world.rows.get("a") as Told;
    const again = () => world.book.toldAgain([...(world.book.state.views.get("v")?.keys.values() ?? [])]);
    world.pass(3);
    world.log.push(chunkOf(0, [item(4, "a", 999)]));
    world.read(world.book, 1);
    const { rows, unknown } = again();
    expect([rows.map(({ told }) => told), unknown]).toEqual([[before], []]);
    world.tick(world.book, "yes");
    expect(compareVersions((world.rows.get("a") as Told).version, before.version)).toBeGreaterThan(0);
    expect(again().rows.map(({ told }) => told)).toEqual([world.rows.get("a")]);
  });

  it("R5: what nobody knows to be told is told by the next tick", () => {
    const world = new World();
    world.log.push(chunkOf(0, [item(2, "a", 998)]));
    world.read(world.book, 1);
    world.tick(world.book, "yes");
    world.commit(true);
    world.takeOver(false);
    world.rows.clear();
    const { rows, unknown } = world.book.toldAgain([...(world.book.state.views.get("v")?.keys.values() ?? [])]);
    expect([rows.length, unknown.map(({ key }) => key), unknown.map((entry) => world.book.isTold(entry))]).toEqual([
      0,
      ["a"],
      [false],
    ]);
    world.tick(world.book, "yes");
    expect(unknown.map((entry) => world.book.isTold(entry))).toEqual([true]);
    expect(read(world.rows.get("a"), world.nowMs)?.[0]).toBe(1);
  });

  it("S3: a row that was on its way at the erasure is of its event time or before, and the key is gone", () => {
    const world = new World();
    world.log.push(chunkOf(0, [item(2, "a", 998)]));
    world.read(world.book, 1);
    const { emit } = world.book.evaluate(world.book.due(world.nowMs), world.clock());
    world.erase("a", 1_005);
    world.read(world.book, 1);
    world.book.acknowledged(emit, world.clock());
    expect(emit[0]?.told.version.eventTime).toBeLessThanOrEqual(1_005);
    world.pass(200);
    world.tick(world.book, "yes");
    expect([world.book.unpublished, world.book.state.views.get("v")?.keys.size, world.rows.size]).toEqual([0, 0, 0]);
    const { removed, saved, erased } = world.book.beginCommit();
    expect([removed.map(({ key }) => key), saved, erased.length]).toEqual([["a"], [], 1]);
  });

  it("S3: after an erasure that comes late the key goes on from what is of later, with a newer row", () => {
    const world = new World();
    world.log.push(chunkOf(0, [item(2, "a", 985, 5), item(4, "a", 998, 7)]));
    world.read(world.book, 1);
    world.tick(world.book, "yes");
    const before = world.rows.get("a") as Told;
    const erasure = { entity: "e", key: "a", eventTime: 986 };
    world.erase("a", erasure.eventTime);
    world.read(world.book, 1);
    expect(world.book.isErased(erasure)).toBe(false);
    world.tick(world.book, "lost");
    expect(world.book.isErased(erasure)).toBe(false);
    world.commit(true);
    world.takeOver(false);
    expect(world.book.isErased(erasure)).toBe(false);
    world.tick(world.book, "yes");
    expect(world.book.isErased(erasure)).toBe(true);
    expect(compareVersions((world.rows.get("a") as Told).version, before.version)).toBeGreaterThan(0);
    expect(read(world.rows.get("a"), world.nowMs)?.slice(0, 2)).toEqual([1, 1]);
  });

  it.each(["before it", "behind it"])(
    "S3: a key whose values are the same after an erasure is told all the same, when its row was acknowledged %s",
    (when) => {
      const world = new World();
      world.log.push(chunkOf(0, [item(2, "a", 1_000, 3)]));
      world.read(world.book, 1);
      world.pass(1);
      const { emit } = world.book.evaluate(world.book.due(world.nowMs), world.clock());
      if (when === "before it") world.book.acknowledged(emit, world.clock());
      world.pass(100);
      world.log.push(chunkOf(0, [item(4, "a", 1_001, 3)]));
      world.erase("a", 1_000);
      world.log.push(chunkOf(0, [item(6, "a", 1_001, 3)]));
      world.read(world.book, 3);
      if (when === "behind it") world.book.acknowledged(emit, world.clock());
      world.tick(world.book, "yes");
      expect(read(world.shown("a"), world.nowMs)?.slice(0, 4)).toEqual([0, 1, null, 3]);
    },
  );

  it("S3: what an erasure covers is counted neither late nor again, and says so", () => {
    const world = new World();
    world.erase("a", 1_005);
    world.log.push(chunkOf(0, [item(2, "a", 1_005), item(4, "b", 1_005), item(6, "a", 1_006)]));
    world.read(world.book, 2);
    expect(world.counts).toMatchObject({ eventsApplied: 2, eventsErased: 1, eventsDuplicate: 0 });
  });

  it("C2: the mark of a view is the least of its shards, and none while a shard has not been read", () => {
    const { book, log } = new World();
    const leastOf = () => leastMark(book.state, view);
    log.push(chunkOf(0, [], 500));
    book.apply(log[0] as KeyedChunk, { nowMs: 1_000, rate: runningRate, sequence: 1, counts: new World().counts });
    expect(leastOf()).toBeUndefined();
    book.apply(chunkOf(1, [], 400), { nowMs: 1_000, rate: runningRate, sequence: 2, counts: new World().counts });
    expect(leastOf()).toBe(400);
    book.apply(chunkOf(1, [], 300), { nowMs: 1_000, rate: runningRate, sequence: 3, counts: new World().counts });
    expect(leastOf()).toBe(400);
  });
});
