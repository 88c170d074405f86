import { compareVersions } from "@tributary/shared/contracts/version";
import { describe, expect, it } from "vitest";
import { catalog, chunkOf, read, runningRate, view, World } from "../testing/partition-world.ts";
import type { KeyedChunk, KeyedItem } from "./keyed-item.ts";
import { leastMark } from "./marks.ts";
import { type CommitContent, PartitionBook } from "./partition-book.ts";
import { restorePartition } from "./partition-storage.ts";
import type { Told } from "./row-emission.ts";

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
