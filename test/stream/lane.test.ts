import { unpack } from "@tributary/shared/codec/msgpack";
import { deadLetterSchema } from "@tributary/shared/contracts/dead-letter";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { until } from "../support/until.ts";
import { airports } from "./definitions.ts";
import { mergeAll } from "./naive-store.ts";
import { type Rig, startMs, startRig } from "./rig.ts";

let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
});
afterAll(() => rig?.stop());

const flight = (minutesAgo: number, delay: number, route = "ORD-LAX") => ({
  origin: route.slice(0, 3),
  destination: route.slice(4),
  delay,
  at: new Date(startMs - minutesAgo * 60_000).toISOString(),
});

const store = async () => mergeAll(await rig.read("TRIB_ROWS_STREAM"));

describe("the stream lane", () => {
  it("moves a window on a plain JSON event of a program that is not ours", async () => {
    await rig.begin(airports());
    const processor = await rig.start("one");
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
});
void until;
void unpack;
void deadLetterSchema;
