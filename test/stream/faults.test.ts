import { readStreamState } from "@tributary/shared/messaging/stream-state";
import { afterAll, beforeAll, describe, expect, it, onTestFailed } from "vitest";
import { decodeKeyedChunk } from "../../services/stream-processor/src/core/keyed-item.ts";
import { until } from "../support/until.ts";
import { airports } from "./definitions.ts";
import { expectRecount, flight, randomFlights } from "./flights.ts";
import { holdTable } from "./held-table.ts";
import { mergeAll } from "./naive-store.ts";
import { type Processor, type Rig, startMs, startRig } from "./rig.ts";

let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
});
afterAll(() => rig?.stop());

const minute = 60_000;
const store = async () => mergeAll(await rig.read("TRIB_ROWS_STREAM"));
const rowOf = async (view: string, key: string) => (await store()).rows.get(`${view}/${key}`);

async function start(instance: string, environment?: Record<string, string>): Promise<Processor> {
  const processor = await rig.start(instance, environment);
  onTestFailed(() => void process.stderr.write(processor.log()));
  return processor;
}

/** Outlives a commit that is held up: renewals wait behind it. */
const longLease = { LEASE_TTL_MS: "60000" };

/** As if those who died had died a while ago. */
const endLeases = async () => void (await rig.sql.query("update leases set until = now()"));

async function waitingForLocks(): Promise<number> {
  const { rows } = await rig.sql.query(
    "select count(*)::int as n from pg_stat_activity where wait_event_type = 'Lock'",
  );
  return rows[0].n;
}

async function counters() {
  return (await rig.status()).map((status) => status.counters);
}

describe("route", () => {
  it("killed after its publishes and before its position is committed, counts every event once (O2)", async () => {
    await rig.begin(airports());
    const flights = randomFlights(300);
    const first = await start("one", longLease);
    await rig.publish(flights.slice(0, 100));
    await rig.settled(startMs);
    const release = await holdTable(rig, "stream_routes");
    const before = (await counters())[0]?.eventsApplied ?? 0;
    for (let at = 100; at < 200; at += 10) await rig.publish(flights.slice(at, at + 10));
    await until(async () => ((await counters())[0]?.eventsApplied ?? 0) > before);
    await first.kill();
    await release();
    await endLeases();
    await start("two");
    await rig.publish(flights.slice(200));
    await rig.settled(startMs);
    expectRecount(await store(), flights, startMs);
    expect((await counters())[0]?.eventsDuplicate).toBeGreaterThan(0);
  });

  it("reads two shards side by side, and a lower sequence of one is not late for the other (O1)", async () => {
    await rig.begin(airports({ shards: 2 }));
    const flights = randomFlights(200);
    await start("one");
    for (let at = 0; at < flights.length; at += 4) await rig.publish(flights.slice(at, at + 4));
    await rig.settled(startMs);
    expectRecount(await store(), flights, startMs);
    const [status] = await rig.status();
    expect(status?.routes.map(({ shard }) => shard).toSorted()).toEqual([0, 1]);
    expect(status?.counters.eventsDuplicate).toBe(0);
  });

  it("down, ends confirmations although time and owners go on (C2)", async () => {
    await rig.begin(airports());
    await start("one");
    await rig.clock({ simulatedMs: 0, realMs: 0, rate: 1 });
    await until(async () => (await store()).confirmations.length > 20);
    await rig.sql.query(
      "update leases set owner = 'stranger', fence = fence + 1, until = now() + interval '1 hour' where name like 'stream:route:%'",
    );
    await until(async () => (await rig.status()).every(({ routes }) => routes.length === 0));
    const { lastSequence } = await readStreamState(rig.admin, "TRIB_KEYED");
    const stoppedMs = Date.now();
    await until(async () => {
      const partitions = (await rig.status()).flatMap((status) => status.partitions);
      return partitions.length > 0 && partitions.every(({ evaluatedAtMs }) => evaluatedAtMs > stoppedMs + 2_500);
    });
    const marks = (await rig.read("TRIB_KEYED")).map(({ sequence, data }) => ({ sequence, ...decodeKeyedChunk(data) }));
    // The step that was in hand when the lease went may still end with its mark: one in each partition.
    expect(marks.filter(({ sequence }) => sequence > lastSequence).length).toBeLessThanOrEqual(4);
    for (const partition of [0, 1, 2, 3])
      for (const view of ["departures", "arrivals"]) {
        const confirmed = (await store()).confirmations
          .filter((one) => one.partition === partition && one.view === view)
          .map(({ confirmedAtMs }) => confirmedAtMs);
        const marked = marks.flatMap((one) => (one.partition === partition ? (one.markMs ?? []) : []));
        expect(confirmed, "each mark at most once, in order").toEqual(
          [...new Set(confirmed)].toSorted((x, y) => x - y),
        );
        expect(confirmed.filter((instant) => !marked.includes(instant))).toEqual([]);
      }
  });
});

describe("a partition's owner", () => {
  it("killed between publish and commit, leaves no value behind and takes none back (S2, V3)", async () => {
    await rig.begin(airports());
    const flights = randomFlights(300);
    const first = await start("one", longLease);
    await rig.publish(flights.slice(0, 100));
    await rig.settled(startMs);
    const release = await holdTable(rig, "stream_partitions");
    await rig.publish(flights.slice(100, 200));
    await rig.settled(startMs);
    const published = await store();
    expectRecount(published, flights.slice(0, 200), startMs);
    await first.kill();
    await release();
    await endLeases();
    await rig.publish(flights.slice(200));
    await start("two");
    await rig.settled(startMs);
    const after = await store();
    expectRecount(after, flights, startMs);
    // Nothing that the successor said while it caught up is newer than what it said in the end, or poorer than before.
    for (const row of after.rows.values()) {
      const before = published.rows.get(`${row.view}/${row.key}`);
      expect(row.version.sequence).toBeGreaterThanOrEqual(before?.version.sequence ?? 0);
      expect(row.values.n_1h).toBeGreaterThanOrEqual(before?.values.n_1h ?? 0);
    }
  });

  it("publishes a key touched since the commit although its value ends where it was (S2)", async () => {
    await rig.begin(airports({ partitions: 1 }));
    const first = await start("one", longLease);
    await rig.publish(flight(14, 1));
    await rig.settled(startMs);
    await until(
      async () => (await rig.sql.query("select 1 from stream_keys where told_until is not null")).rowCount === 2,
    );
    const x = (await store()).rows.get("departures/ORD");
    const release = await holdTable(rig, "stream_partitions");
    await rig.publish(flight(15.2, 9));
    await rig.settled(startMs);
    const y = (await store()).rows.get("departures/ORD");
    expect([x?.values.n_15m, y?.values.n_15m]).toEqual([1, 2]);
    await first.kill();
    await release();
    await endLeases();
    const laterMs = startMs + minute;
    await rig.pauseAt(laterMs);
    await start("two");
    await rig.settled(laterMs);
    const { rows, readAt } = await store();
    expect(rows.get("departures/ORD")?.version.minor).toBe(laterMs);
    expect(readAt("departures", "ORD", laterMs)).toMatchObject({ n_15m: 1, delaySum_15m: 1, n_1h: 2 });
  });

  it("killed just before the clock is paused behind what it told, leaves nothing of a later instant (S2)", async () => {
    await rig.begin(airports());
    const first = await start("one");
    const flights = randomFlights(100);
    await rig.publish(flights);
    await rig.settled(startMs);
    const [instantMs, laterMs] = [startMs + 3_000, startMs + 5_000];
    await rig.clock({ simulatedMs: startMs, realMs: Date.now(), rate: 60 });
    await until(async () => (await rig.status()).some(({ nowMs }) => nowMs > laterMs));
    const later = randomFlights(20, 3).map((one) => ({ ...one, at: laterMs }));
    await rig.publish(later);
    const seen = () => rowOf("departures", later[0]?.origin ?? "");
    await until(async () => ((await seen())?.version.minor ?? 0) > laterMs);
    await first.kill();
    await rig.pauseAt(instantMs);
    await start("two");
    await rig.settled(instantMs);
    expectRecount(await store(), [...flights, ...later], instantMs);
  });

  it("stalled until another has taken over, changes nothing when it wakes (S5, O2)", async () => {
    await rig.begin(airports());
    const flights = randomFlights(400);
    const first = await start("one");
    await rig.publish(flights.slice(0, 100));
    await rig.settled(startMs);
    first.freeze();
    await rig.publish(flights.slice(100, 200));
    await start("two");
    await rig.settled(startMs);
    expectRecount(await store(), flights.slice(0, 200), startMs);
    first.thaw();
    await rig.publish(flights.slice(200, 300));
    await until(() => first.log().includes("another instance has taken over") || first.log().includes("FENCED"));
    await rig.publish(flights.slice(300));
    await rig.settled(startMs);
    expectRecount(await store(), flights, startMs);
    const held = async () => (await rig.status()).flatMap(({ partitions }) => partitions.map((one) => one.partition));
    await until(async () => (await held()).toSorted().join() === "0,1,2,3");
  });

  it("stalled inside a commit, does not keep its successor waiting (S5)", async () => {
    await rig.begin(airports({ partitions: 1 }));
    const flights = randomFlights(100);
    const first = await start("one");
    await rig.publish(flights);
    await rig.settled(startMs);
    const release = await holdTable(rig, "stream_partitions");
    await until(async () => (await waitingForLocks()) > 0);
    first.freeze();
    await release();
    await start("two");
    await rig.settled(startMs);
    expectRecount(await store(), flights, startMs);
    first.thaw();
    await until(() => first.log().includes("newer owner") || first.log().includes("another instance has taken over"));
    expect(first.isRunning()).toBe(true);
  });

  it("stops at an item that it cannot read, loudly, while the other partitions go on (O4)", async () => {
    await rig.begin(airports());
    const processor = await start("one");
    await rig.publish(randomFlights(50));
    await rig.settled(startMs);
    await rig.foreign.jetstream().publish("trib.v1.keyed.p01.flights.airport", Uint8Array.from([1, 2, 3]));
    const stopped = await until(async () =>
      (await rig.status())
        .flatMap((status) => status.partitions)
        .filter((partition) => partition.stopped !== undefined)
        .at(0),
    );
    expect(stopped.partition).toBe(1);
    expect(processor.log()).toContain("partition 1 stops");
    const { lastSequence } = await readStreamState(rig.admin, "TRIB_KEYED");
    await until(async () => {
      const partitions = (await rig.status()).flatMap((status) => status.partitions);
      return partitions.filter(({ applied }) => applied > lastSequence).length === 3;
    });
  });

  it.each(["TRIB_KEYED", "TRIB_EVENTS"])(
    "refuses to go on when %s was made anew, and says what to do (O5)",
    async (stream) => {
      await rig.begin(airports());
      const first = await start("one");
      await rig.publish(randomFlights(20));
      await rig.settled(startMs);
      await until(async () => (await rig.sql.query("select 1 from stream_partitions")).rowCount === 4);
      await first.stop();
      await rig.remake(stream);
      const second = await start("two");
      expect(await second.exited).toBe(1);
      expect(second.log()).toContain("HISTORY_LOST");
      expect(second.log()).toContain(`stream ${stream} was made anew`);
      expect(second.log()).toContain("stream_partitions");
    },
  );
});

describe("servers that go away", () => {
  it("nats-server and PostgreSQL killed and back, nothing is lost and nothing counts twice", async () => {
    await rig.begin(airports());
    const flights = randomFlights(300);
    await start("one");
    await rig.publish(flights.slice(0, 100));
    await rig.settled(startMs);
    await rig.servers.postgres.kill();
    await rig.publish(flights.slice(100, 200));
    await rig.servers.postgres.start();
    await rig.servers.nats.kill();
    await rig.servers.nats.start();
    await until(() => rig.publish(flights.slice(200)));
    await rig.settled(startMs);
    expectRecount(await store(), flights, startMs);
  });

  it("at start, the missing one is named", async () => {
    await rig.begin(airports());
    const processor = await start("one", { DATABASE_URL: "postgres://nobody:secret@127.0.0.1:1/none" });
    expect(await processor.exited).toBe(1);
    expect(processor.log()).toContain("PostgreSQL");
    expect(processor.log()).not.toContain("secret");
  });
});
