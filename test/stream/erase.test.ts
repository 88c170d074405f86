import { requestErasure } from "@tributary/cli/erase/erasure-requests";
import { partitionOf } from "@tributary/shared/contracts/entity-key";
import { type Erasure, receiptKey } from "@tributary/shared/contracts/erasure";
import { subjects } from "@tributary/shared/contracts/subjects";
import { openBucket } from "@tributary/shared/messaging/bucket";
import { readStoredMessage } from "@tributary/shared/messaging/stream-message";
import { afterAll, beforeAll, describe, expect, it, onTestFailed, onTestFinished } from "vitest";
import { encodeKeyedErasure, erasureToken } from "../../services/stream-processor/src/core/keyed-erasure.ts";
import { folderFor } from "../cli/environment-file.ts";
import { runCli } from "../cli/run-cli.ts";
import { until } from "../support/until.ts";
import { airports } from "./definitions.ts";
import { expectRecount, type Flight, flight, randomFlights } from "./flights.ts";
import { holdTable } from "./held-table.ts";
import { mergeAll } from "./naive-store.ts";
import { type Processor, type Rig, startMs, startRig } from "./rig.ts";

let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
});
afterAll(() => rig?.stop());

const partitions = 4;
const store = async () => mergeAll(await rig.read("TRIB_ROWS_STREAM"));

async function start(instance: string, environment?: Record<string, string>): Promise<Processor> {
  const processor = await rig.start(instance, environment);
  onTestFailed(() => void process.stderr.write(processor.log()));
  return processor;
}

const erase = (key: string, id: string) => requestErasure(rig.admin, { entity: "airport", key, id });

async function receiptOf({ id }: Erasure) {
  return (await openBucket(rig.admin, "TRIB_ERASURES")).get(receiptKey(id, "stream-processor"));
}

/** Rows of the key that a store keeps which has erased it. */
async function kept({ key, eventTime }: Erasure) {
  return (await store()).history.filter((row) => row.key === key && row.version.eventTime > eventTime);
}

async function storedKeys(key: string): Promise<number> {
  return (await rig.sql.query("select 1 from stream_keys where key = $1", [key])).rowCount ?? 0;
}

/** Outlives a commit that is held up. */
const longLease = { LEASE_TTL_MS: "60000" };
/** Two and a half minutes later: past what the erasure covers. */
const laterMs = startMs + 150_000;
const later = (secondsAgo: number, delay = 7): Flight => ({
  ...flight(0, delay, "ORD-SEA"),
  at: laterMs - secondsAgo * 1_000,
});

describe("an erased key", () => {
  it("is out of window state before the receipt, counts no straggler, and begins again from zero", async () => {
    await rig.begin(airports());
    await start("one");
    const flights = randomFlights(300);
    await rig.publish(flights);
    await rig.settled(startMs);
    await until(async () => (await storedKeys("ORD")) === 2);
    const erasure = await erase("ORD", "first-1");
    await until(() => receiptOf(erasure));
    expect(await storedKeys("ORD")).toBe(0);
    await rig.publish(flights);
    await rig.publish([flight(3, 99, "ORD-ORD"), { ...flight(0, 99, "ORD-ORD"), at: erasure.eventTime }]);
    await rig.settled(startMs);
    await rig.pauseAt(laterMs);
    await rig.settled(laterMs);
    expect(await kept(erasure)).toEqual([]);
    expect((await rig.status())[0]?.counters.eventsErased).toBeGreaterThan(0);
    await rig.publish([later(20), later(10), { ...flight(3, 50, "ORD-ORD"), at: erasure.eventTime }]);
    await rig.settled(laterMs);
    expect((await store()).readAt("departures", "ORD", laterMs)).toMatchObject({ n_15m: 2, n_1h: 2, delaySum_1h: 14 });
    expect(new Set((await kept(erasure)).map(({ view }) => view))).toEqual(new Set(["departures"]));
    expectRecount(await store(), [...flights, ...flights, later(20), later(10)], laterMs, ["ORD"]);
  });

  it("does not come back with an owner that takes over before the erasure was committed", async () => {
    await rig.begin(airports());
    const first = await start("one", longLease);
    const flights = randomFlights(200);
    await rig.publish(flights);
    await rig.settled(startMs);
    await until(async () => (await storedKeys("ORD")) === 2);
    const release = await holdTable(rig, "stream_partitions");
    const erasure = await erase("ORD", "second-1");
    const partition = partitionOf("ORD", partitions);
    const place = subjects.keyed(partition, erasureToken, "airport");
    const item = await until(() => readStoredMessage(rig.admin, "TRIB_KEYED", { last_by_subj: place }));
    // Not `settled`: route's commit may wait behind a renewal that waits behind the commit held here.
    await until(async () => {
      const owned = (await rig.status()).flatMap((status) => status.partitions);
      return (owned.find((one) => one.partition === partition)?.applied ?? 0) >= item.sequence;
    });
    expect(await receiptOf(erasure), "nothing is committed").toBeUndefined();
    await first.kill();
    await release();
    expect(await storedKeys("ORD")).toBe(2);
    await rig.sql.query("update leases set until = now()");
    await rig.pauseAt(laterMs);
    await start("two");
    await until(() => receiptOf(erasure));
    expect(await storedKeys("ORD")).toBe(0);
    await rig.publish(flights);
    await rig.publish(later(10));
    await rig.settled(laterMs);
    expect((await store()).readAt("departures", "ORD", laterMs)).toMatchObject({ n_1h: 1 });
    expect((await kept(erasure)).every(({ values }) => values.n_1h === 1)).toBe(true);
  });

  it("asked for before anybody works is never told of, and other keys are", async () => {
    await rig.begin(airports());
    const flights = randomFlights(200);
    await rig.publish(flights);
    const erasure = await erase("ORD", "third-1");
    await start("one");
    await rig.settled(startMs);
    await until(() => receiptOf(erasure));
    const { rows } = await store();
    expect([...rows.keys()].filter((name) => name.endsWith("/ORD"))).toEqual([]);
    expect(rows.has("departures/SEA")).toBe(true);
  });

  it("keeps what came since when its erasure comes a second time, however late", async () => {
    await rig.begin(airports());
    await start("one");
    await rig.publish(randomFlights(100));
    await rig.settled(startMs);
    const erasure = await erase("ORD", "fourth-1");
    await until(() => receiptOf(erasure));
    await rig.pauseAt(laterMs);
    await rig.settled(laterMs);
    await rig.publish([later(20), later(10)]);
    await rig.settled(laterMs);
    const partition = partitionOf("ORD", partitions);
    const item = encodeKeyedErasure({ ...erasure, partition, producer: "late", fence: 1 });
    await rig.foreign.jetstream().publish(subjects.keyed(partition, erasureToken, "airport"), item);
    await rig.publish(later(5));
    await rig.settled(laterMs);
    expect((await store()).readAt("departures", "ORD", laterMs)).toMatchObject({ n_15m: 3 });
  });

  it("stays out when window state is given up and read again from the streams, though the receipt is given", async () => {
    await rig.begin(airports());
    const first = await start("one");
    const flights = randomFlights(200);
    await rig.publish(flights);
    await rig.settled(startMs);
    const erasure = await erase("ORD", "fifth-1");
    await until(() => receiptOf(erasure));
    await first.stop();
    await rig.remake("TRIB_KEYED");
    for (const table of ["stream_routes", "stream_partitions", "stream_keys"]) await rig.sql.query(`truncate ${table}`);
    await rig.pauseAt(laterMs);
    await start("two");
    await rig.publish(later(10));
    await rig.settled(laterMs);
    expect((await store()).readAt("departures", "ORD", laterMs)).toMatchObject({ n_1h: 1 });
    expect((await kept(erasure)).every(({ values }) => values.n_1h === 1)).toBe(true);
    expect(await storedKeys("ORD")).toBeLessThanOrEqual(1);
  });
});

it("`erase` waits for the windows, and says when they are done", async () => {
  await rig.begin(airports());
  await start("one");
  await rig.publish(randomFlights(50));
  await rig.settled(startMs);
  const folder = folderFor(rig.servers, { postgres: false });
  onTestFinished(() => folder.remove());
  const cli = async (...args: string[]) => {
    const result = await runCli([...args, "--json"], { directory: folder.path });
    const { data } = result.json() as { data: { participants: { service: string; state: string }[] } };
    return data.participants.find(({ service }) => service === "stream-processor")?.state;
  };
  const asked = cli("erase", "airport", "code=ORD", "--yes", "--id", "told-1", "--timeout", "1");
  expect(["pending", "done"]).toContain(await asked);
  await until(async () => (await cli("erasures", "show", "told-1")) === "done");
  expect(await storedKeys("ORD")).toBe(0);
});

it("an owner that is killed with the erasure on its way leaves it to the next one, with one receipt", async () => {
  await rig.begin(airports());
  const flights = randomFlights(200);
  const [first] = await Promise.all([start("one"), start("two")]);
  await rig.publish(flights);
  await rig.settled(startMs);
  const keys = ["ORD", "LAX", "ATL", "DFW", "SEA"];
  const erasures = await Promise.all(keys.map((key) => erase(key, `all-${key}`)));
  await first.kill();
  await Promise.all(erasures.map((erasure) => until(() => receiptOf(erasure))));
  for (const key of keys) expect([key, await storedKeys(key)]).toEqual([key, 0]);
  await rig.settled(startMs);
  expectRecount(await store(), flights, startMs, keys);
});
