import { afterAll, beforeAll, expect, it, onTestFailed } from "vitest";
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

const partitions = 7;
const store = async () => mergeAll(await rig.read("TRIB_ROWS_STREAM"));

async function start(instance: string): Promise<Processor> {
  const processor = await rig.start(instance);
  onTestFailed(() => void process.stderr.write(processor.log()));
  return processor;
}

/** Partitions per instance, least first, once everybody holds theirs and nobody holds one twice. */
async function shares(instances: number): Promise<number[]> {
  return until(async () => {
    const statuses = await rig.status();
    const held = statuses.flatMap((status) => status.partitions.map(({ partition }) => partition));
    const counts = statuses.map((status) => status.partitions.length).toSorted((a, b) => a - b);
    const isShared = counts.length === instances && (counts.at(-1) ?? 0) <= Math.ceil(partitions / instances);
    return isShared && held.length === partitions && new Set(held).size === partitions && counts;
  });
}

it("two instances end near half each, and events that come meanwhile count once", async () => {
  await rig.begin(airports({ partitions }));
  const flights = randomFlights(600);
  const first = await start("one");
  await rig.publish(flights.slice(0, 100));
  await rig.settled(startMs);
  expect(await shares(1)).toEqual([7]);
  const starting = start("two");
  for (let at = 100; at < 500; at += 20) {
    await rig.publish(flights.slice(at, at + 20));
    await rig.status();
  }
  const second = await starting;
  expect(await shares(2)).toEqual([3, 4]);
  await rig.settled(startMs);
  expectRecount(await store(), flights.slice(0, 500), startMs);
  expect(first.log()).toContain("handing over");
  expect(first.log()).not.toContain("FENCED");
  await second.stop();
  await rig.publish(flights.slice(500));
  expect(await shares(1)).toEqual([7]);
  await rig.settled(startMs);
  expectRecount(await store(), flights, startMs);
});
