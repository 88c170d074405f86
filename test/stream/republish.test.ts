import { decodeChunk } from "@tributary/shared/codec/chunk-codec";
import { partitionOf } from "@tributary/shared/contracts/entity-key";
import type { StreamRepublishReply } from "@tributary/shared/contracts/republish";
import { subjects } from "@tributary/shared/contracts/subjects";
import { request } from "@tributary/shared/messaging/request";
import { afterAll, beforeAll, describe, expect, it, onTestFailed, onTestFinished } from "vitest";
import { until } from "../support/until.ts";
import { airports } from "./definitions.ts";
import { expectRecount, randomFlights } from "./flights.ts";
import { mergeAll } from "./naive-store.ts";
import { type Processor, type Rig, startMs, startRig } from "./rig.ts";

let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
});
afterAll(() => rig?.stop());

const partitions = [0, 1, 2, 3];
const bytes = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
const store = async () => mergeAll(await rig.read("TRIB_ROWS_STREAM"));
const markersOf = async () => (await store()).confirmations.filter(({ whole }) => whole);

async function start(instance: string, environment?: Record<string, string>): Promise<Processor> {
  const processor = await rig.start(instance, environment);
  onTestFailed(() => void process.stderr.write(processor.log()));
  return processor;
}

/** As a rebuild does: what may be asked again is asked again, under the same id. */
async function ask(
  partition: number,
  { id = "again-1", view, timeoutMs = 5_000 }: { id?: string; view?: string; timeoutMs?: number } = {},
): Promise<StreamRepublishReply> {
  const body = bytes({ id, ...(view !== undefined && { view }) });
  const reply = await request(rig.admin, subjects.streamRepublish(partition), body, { timeoutMs });
  return JSON.parse(new TextDecoder().decode(reply));
}

const askAll = (options: Parameters<typeof ask>[1] = {}) =>
  Promise.all(partitions.map((partition) => until(() => ask(partition, options).catch(onlyRetryable))));

function onlyRetryable(error: { retryable: boolean }): undefined {
  if (!error.retryable) throw error;
}

async function emptyRows(): Promise<void> {
  await (await rig.foreign.jetstreamManager()).streams.purge("TRIB_ROWS_STREAM");
}

/** Whoever checks its fence waits, after its rows and before what stands behind them, until this is called. */
async function holdLeases() {
  const client = await rig.sql.connect();
  await client.query("begin");
  await client.query("lock table leases in access exclusive mode");
  let isHeld = true;
  const end = async (how: "commit" | "rollback") => {
    if (isHeld) await client.query(how).finally(() => client.release());
    isHeld = false;
  };
  onTestFinished(() => end("rollback"));
  return { client, end };
}

/** Renewals wait as well. */
const longLease = { LEASE_TTL_MS: "60000" };

const rowsSent = async (view: string, partition: number) =>
  (await store()).history.filter((row) => row.view === view && partitionOf(row.key, partitions.length) === partition);

it("sends every row as it was, nothing else, and behind each view's rows that it is whole", async () => {
  await rig.begin(airports());
  await start("one");
  const flights = randomFlights(300);
  await rig.publish(flights);
  await rig.settled(startMs);
  await until(async () => (await store()).confirmations.length >= 2 * partitions.length);
  const before = await store();
  const counted = (await rig.status())[0]?.counters;
  await emptyRows();
  const replies = await askAll();
  const after = await store();
  expect(after.rows).toEqual(before.rows);
  expect(after.history.length).toBe(before.rows.size);
  expectRecount(after, flights, startMs);
  const sent = replies.flatMap(({ rows }) => Object.values(rows)).reduce((sum, count) => sum + count, 0);
  expect(sent).toBe(before.rows.size);
  expect((await rig.status())[0]?.counters).toMatchObject({
    rowsPublished: counted?.rowsPublished,
    rowsUnchanged: counted?.rowsUnchanged,
  });
  const markers = await markersOf();
  expect(markers.map(({ view, partition }) => `${view} ${partition}`).toSorted()).toEqual(
    ["arrivals", "departures"].flatMap((view) => partitions.map((partition) => `${view} ${partition}`)),
  );
  expect(new Set(markers.map(({ confirmedAtMs }) => confirmedAtMs))).toEqual(new Set([startMs]));
  const chunks = (await rig.read("TRIB_ROWS_STREAM")).map(({ data }) => decodeChunk(data));
  const places = (await rig.read("TRIB_ROWS_STREAM")).map(({ sequence }) => sequence);
  for (const { view, partition, since } of markers) {
    const first = chunks.findIndex(
      (chunk) => chunk.kind === "rows" && chunk.view === view && chunk.partition === partition,
    );
    if (first < 0) expect(since).toBeUndefined();
    else expect(since, `${view} ${partition}`).toBeLessThanOrEqual(places[first] as number);
    expect(since ?? places[0]).toBeGreaterThanOrEqual(places[0] as number);
    const kinds = chunks
      .filter((chunk) => chunk.view === view && chunk.partition === partition)
      .map((chunk) => (chunk.kind === "confirm" && chunk.whole ? "whole" : chunk.kind));
    expect(kinds.lastIndexOf("rows"), `${view} ${partition}: ${kinds}`).toBeLessThan(kinds.indexOf("whole"));
  }
});

it("sends one view when one is asked for, and says what it cannot send", async () => {
  await rig.begin(airports());
  await start("one");
  await rig.publish(randomFlights(50));
  await rig.settled(startMs);
  await emptyRows();
  expect(Object.keys((await ask(1, { view: "arrivals" })).rows)).toEqual(["arrivals"]);
  expect(new Set((await store()).history.map(({ view }) => view))).toEqual(new Set(["arrivals"]));
  await expect(ask(1, { view: "harbours" })).rejects.toMatchObject({ code: "UNKNOWN_VIEW" });
  await expect(ask(1, { id: "a b" })).rejects.toMatchObject({ code: "MALFORMED" });
  await expect(ask(9, { timeoutMs: 300 })).rejects.toMatchObject({ code: "DEADLINE" });
});

it("by a successor, whose rows nobody told it of, ends at what a recount gives", async () => {
  await rig.begin(airports());
  const flights = randomFlights(300);
  const first = await start("one");
  await rig.publish(flights);
  await rig.settled(startMs);
  const before = await store();
  await first.stop();
  await emptyRows();
  await start("two");
  await askAll();
  const after = await store();
  expect([...after.rows.keys()].toSorted()).toEqual([...before.rows.keys()].toSorted());
  expectRecount(after, flights, startMs);
  expect((await markersOf()).length).toBe(2 * partitions.length);
});

it("while events come, takes nothing back", async () => {
  await rig.begin(airports());
  const flights = randomFlights(600);
  await start("one");
  await rig.publish(flights.slice(0, 100));
  await rig.settled(startMs);
  const asked = askAll();
  for (let at = 100; at < 600; at += 20) await rig.publish(flights.slice(at, at + 20));
  await asked;
  await askAll({ id: "again-2" });
  await rig.settled(startMs);
  expectRecount(await store(), flights, startMs);
});

describe("a republish under way", () => {
  it("is joined under its id, refuses another, and outlives a deadline", async () => {
    await rig.begin(airports());
    await start("one", longLease);
    await rig.publish(randomFlights(100));
    await rig.settled(startMs);
    const { end } = await holdLeases();
    const early = ask(0, { timeoutMs: 3_000 });
    await expect(early).rejects.toMatchObject({ code: "DEADLINE", message: expect.stringContaining("same id") });
    const joined = ask(0);
    await expect(ask(0, { id: "other-1" })).rejects.toMatchObject({ code: "OVERLOADED" });
    await expect(ask(0, { view: "arrivals" })).rejects.toMatchObject({ code: "OVERLOADED" });
    await end("rollback");
    await joined;
    expect((await markersOf()).length, "the first view and the second, once").toBe(2);
    await ask(0, { id: "other-1" });
  });

  it("ends without saying whole when the partition goes to another owner", async () => {
    await rig.begin(airports());
    await start("one", longLease);
    await rig.publish(randomFlights(100));
    await rig.settled(startMs);
    const held = await holdLeases();
    await emptyRows();
    const asked = ask(0).catch((error) => error);
    await until(async () => (await rowsSent("departures", 0)).length + (await rowsSent("arrivals", 0)).length > 0);
    await held.client.query("update leases set owner = 'stranger', fence = fence + 1 where name like '%partition%'");
    await held.end("commit");
    expect(await asked).toMatchObject({ code: "UNAVAILABLE", retryable: true });
    expect(await markersOf()).toEqual([]);
  });

  it("whose owner is killed in the middle, is done when it is asked again", async () => {
    await rig.begin(airports());
    const flights = randomFlights(200);
    const first = await start("one", longLease);
    await rig.publish(flights);
    await rig.settled(startMs);
    const before = await store();
    const { end } = await holdLeases();
    await emptyRows();
    const asked = partitions.map((partition) => ask(partition, { timeoutMs: 2_000 }).catch((error) => error));
    await until(async () => (await store()).history.length > 0);
    await first.kill();
    await end("rollback");
    expect((await Promise.all(asked)).map(({ code }) => code)).toEqual(partitions.map(() => "DEADLINE"));
    expect(await markersOf()).toEqual([]);
    await rig.sql.query("update leases set until = now()");
    await start("two");
    await askAll();
    expect((await markersOf()).length).toBe(2 * partitions.length);
    const after = await store();
    expect([...after.rows.keys()].toSorted()).toEqual([...before.rows.keys()].toSorted());
    expectRecount(after, flights, startMs);
  });
});

it("of two instances only the owner answers", async () => {
  await rig.begin(airports());
  await Promise.all([start("one"), start("two")]);
  const flights = randomFlights(200);
  await rig.publish(flights);
  const shares = async () => (await rig.status()).map((status) => status.partitions.length);
  await until(async () => (await shares()).join() === "2,2");
  await rig.settled(startMs);
  await emptyRows();
  const ownersOf = async (partition: number) => {
    const answers = await rig.foreign.requestMany(subjects.streamRepublish(partition), bytes({ id: "twice-1" }), {
      maxWait: 5_000,
    });
    const replies: StreamRepublishReply[] = [];
    for await (const answer of answers) if (!(answer instanceof Error)) replies.push(answer.json());
    return replies.map((reply) => reply.partition);
  };
  expect(await Promise.all(partitions.map(ownersOf))).toEqual(partitions.map((partition) => [partition]));
  expectRecount(await store(), flights, startMs);
});

describe("a partition that cannot send", () => {
  it("says that it is not taken over yet", async () => {
    await rig.begin(airports());
    const client = await rig.sql.connect();
    await client.query("begin");
    await client.query("lock table stream_partitions in access exclusive mode");
    try {
      await start("one");
      const error = await until(() =>
        ask(2, { timeoutMs: 1_000 }).catch((thrown) => thrown.code === "UNAVAILABLE" && thrown),
      );
      expect(error.message).toContain("taken over");
    } finally {
      await client.query("rollback").finally(() => client.release());
    }
    await askAll();
  });

  it("says why it stands still", async () => {
    await rig.begin(airports());
    await start("one");
    await rig.publish(randomFlights(20));
    await rig.settled(startMs);
    await rig.foreign.jetstream().publish("trib.v1.keyed.p01.flights.airport", Uint8Array.from([1, 2, 3]));
    await until(async () => (await rig.status()).some((one) => one.partitions.some(({ stopped }) => stopped)));
    await expect(ask(1)).rejects.toMatchObject({ code: "UNAVAILABLE", message: expect.stringContaining("message") });
    await ask(0);
  });
});
