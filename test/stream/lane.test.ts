import { unpack } from "@tributary/shared/codec/msgpack";
import { deadLetterSchema } from "@tributary/shared/contracts/dead-letter";
import { subjects } from "@tributary/shared/contracts/subjects";
import { afterAll, beforeAll, describe, expect, it, onTestFailed } from "vitest";
import { until } from "../support/until.ts";
import { airports, lateFlights, viewOf } from "./definitions.ts";
import { expectRecount, flight, randomFlights } from "./flights.ts";
import { mergeAll } from "./naive-store.ts";
import { type Rig, startMs, startRig } from "./rig.ts";

let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
});
afterAll(() => rig?.stop());

const minute = 60_000;
const store = async () => mergeAll(await rig.read("TRIB_ROWS_STREAM"));

async function begin(body = airports()) {
  await rig.begin(body);
  const processor = await rig.start("one");
  onTestFailed(() => void process.stderr.write(processor.log()));
  return processor;
}

describe("the stream lane", () => {
  it("moves a window on a plain JSON event of a program that is not ours", async () => {
    const processor = await begin();
    await rig.publish(flight(5, 12));
    await rig.publish([flight(10, 30), flight(40, -3)]);
    await rig.settled(startMs);
    expect((await store()).readAt("departures", "ORD", startMs)).toMatchObject({
      n_15m: 2,
      n_1h: 3,
      delaySum_15m: 42,
      delayMean_1h: 13,
      delayMin_1h: -3,
      delayMax_15m: 30,
    });
    expect((await store()).readAt("arrivals", "LAX", startMs)).toMatchObject({ n_15m: 2, n_1h: 3, delayMax_1h: 30 });
    await processor.stop();
    expect(await processor.exited).toBe(0);
  });

  it("equals a recount at paused instants aligned to no hop, when only time has passed and when it is paused behind itself", async () => {
    await begin();
    const flights = randomFlights(400);
    for (let at = 0; at < flights.length; at += 50) await rig.publish(flights.slice(at, at + 50));
    await rig.settled(startMs);
    expectRecount(await store(), flights, startMs);
    // A hundred minutes later nothing has arrived; in between the clock runs, is seen ahead, and is paused a little behind.
    for (const [afterMinutes, rate] of [
      [7.31, 600],
      [31.77, 3_000],
      [130, 3_000],
    ] as const) {
      const instantMs = Math.round(startMs + afterMinutes * minute);
      await rig.clock({ simulatedMs: instantMs - 2 * minute, realMs: Date.now(), rate });
      await until(async () => (await rig.status()).some(({ nowMs }) => nowMs > instantMs));
      await rig.pauseAt(instantMs);
      await rig.settled(instantMs);
      expectRecount(await store(), flights, instantMs);
    }
    expect((await store()).readAt("departures", flights[0]?.origin ?? "", startMs + 130 * minute)?.n_1h).toBe(0);
  });

  it("sets poison events aside with their cause and goes on with their neighbours", async () => {
    await begin(airports({ where: "delay > -60" }));
    const bytes = (text: string) => new TextEncoder().encode(text);
    const raw = async (data: Uint8Array) =>
      void (await rig.foreign.jetstream().publish(subjects.events("flights"), data));
    await rig.publish(flight(1, 1));
    await raw(bytes('{"origin":'));
    await raw(Uint8Array.from([0x82, 0xa1]));
    await raw(bytes(JSON.stringify({ ...flight(1, 1), filler: "x".repeat(300_000) })));
    await rig.publish([
      flight(2, 2),
      { ...flight(2, 2), at: undefined },
      { ...flight(2, 2), delay: "secret" },
      flight(3, 3),
    ]);
    await rig.publish({ ...flight(0, 1), at: startMs + 61_000 });
    await rig.publish(flight(1, -61));
    await rig.settled(startMs);
    expect((await store()).readAt("departures", "ORD", startMs)).toMatchObject({ n_15m: 3, delaySum_15m: 6 });
    const letters = (await rig.read("TRIB_DLQ")).map(({ data }) => deadLetterSchema.parse(unpack(data)));
    expect(letters.map(({ code, sequence }) => [code, sequence]).toSorted()).toEqual([
      ["BAD_TIME", 5],
      ["BAD_VALUE", 5],
      ["FUTURE_TIME", 6],
      ["LIMIT_EXCEEDED", 4],
      ["MALFORMED", 2],
      ["MALFORMED", 3],
    ]);
    expect(letters.map(({ cause }) => cause).join()).not.toContain("secret");
    expect(letters.find(({ code }) => code === "BAD_VALUE")?.cause).toContain('field "delay"');
  });

  it("keys, filters and aggregates by derived columns", async () => {
    await begin(lateFlights());
    await rig.publish([flight(5, 30), flight(6, 14), flight(7, 90, "OGG-LAX"), flight(8, 45, "LAX-ORD")]);
    await rig.publish({ ...flight(4, 0), delay: null });
    await rig.settled(startMs);
    const { readAt } = await store();
    expect(readAt("late", "O", startMs)).toEqual({ n_15m: 2, hoursSum_15m: 2 });
    expect(readAt("late", "L", startMs)).toEqual({ n_15m: 1, hoursSum_15m: 0.75 });
  });

  it("says nothing again when nothing changed", async () => {
    await begin();
    await rig.publish(flight(5, 12));
    await rig.settled(startMs);
    const before = (await store()).history.length;
    await rig.publish(flight(70, 12));
    await rig.settled(startMs);
    expect((await store()).history.length).toBe(before);
    const [status] = await rig.status();
    expect(status?.counters).toMatchObject({
      eventsRouted: 2,
      eventsApplied: 4,
      eventsLate: 2,
      rowsPublished: 2,
      rowsUnchanged: 2,
    });
  });

  it("takes up a view that a later catalog adds, and keeps the windows it has", async () => {
    const body = airports();
    const { arrivals, ...others } = body.views;
    await begin({ ...body, views: others });
    await rig.publish(flight(5, 12));
    await rig.settled(startMs);
    await rig.apply({ ...body, views: { ...others, arrivals: viewOf(body, "arrivals") } });
    await until(async () => (await rig.status()).every(({ catalogVersion }) => catalogVersion === 2));
    await rig.publish(flight(4, 7));
    await rig.settled(startMs);
    expect((await store()).readAt("departures", "ORD", startMs)).toMatchObject({ n_15m: 2, delaySum_15m: 19 });
    expect((await store()).readAt("arrivals", "LAX", startMs)).toMatchObject({ n_15m: 1, delayMax_15m: 7 });
    expect(arrivals).toBeDefined();
  });
});
