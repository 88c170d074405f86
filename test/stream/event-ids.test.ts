import { afterAll, beforeAll, expect, it, onTestFailed } from "vitest";
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

const store = async () => mergeAll(await rig.read("TRIB_ROWS_STREAM"));

async function start(instance: string, environment?: Record<string, string>): Promise<Processor> {
  const processor = await rig.start(instance, environment);
  onTestFailed(() => void process.stderr.write(processor.log()));
  return processor;
}

it("events sent again count once, before a commit, after it, and across a takeover", async () => {
  await rig.begin(airports({ isNumbered: true }));
  const flights = randomFlights(200);
  const sent = flights.map((one, i) => ({ ...one, number: i + 1 }));
  // Renewals wait behind a commit that is held up.
  const first = await start("one", { LEASE_TTL_MS: "60000" });
  await rig.publish(sent.slice(0, 100));
  await rig.publish(sent.slice(50, 100).toReversed());
  await rig.settled(startMs);
  expectRecount(await store(), flights.slice(0, 100), startMs);
  expect((await rig.status())[0]?.counters.eventsDuplicate).toBeGreaterThan(0);
  const release = await holdTable(rig, "stream_partitions");
  await rig.publish(sent.slice(25, 150));
  await rig.settled(startMs);
  await first.kill();
  await release();
  await rig.sql.query("update leases set until = now()");
  await rig.publish(sent.toReversed());
  await start("two");
  await rig.settled(startMs);
  expectRecount(await store(), flights, startMs);
});

it("events without an id count each time", async () => {
  await rig.begin(airports({ isNumbered: true }));
  await start("one");
  await rig.publish([flight(5, 1), { ...flight(5, 1), number: null }, { ...flight(5, 1), number: 7 }]);
  await rig.publish({ ...flight(5, 1), number: 7 });
  await rig.settled(startMs);
  expect((await store()).readAt("departures", "ORD", startMs)).toMatchObject({ n_15m: 3 });
});
