import { createTestTributary } from "@tributary/client/testing";
import { expect, it } from "vitest";
import * as features from "./features.ts";
import { planeLeft, waitingTime } from "./waiting-time.ts";

const noon = new Date("2001-06-14T12:00:00Z");

it("goes by the score while it is fresh", async () => {
  const test = createTestTributary(features, { now: noon });
  test.set(features.airportNow, { code: "ORD" }, { departures_15m: 4 });
  await test.write(features.congestion, [{ key: { code: "ORD" }, features: { score: 0.5 } }]);
  expect(await waitingTime(test, "ORD")).toBe(28);
  test.clock.advance("31m");
  expect(await waitingTime(test, "ORD")).toBe(20);
});

it("falls back when the store does not answer", async () => {
  const test = createTestTributary(features);
  await test.write(features.congestion, [{ key: { code: "ORD" }, features: { score: 1 } }]);
  test.failNext("UNAVAILABLE");
  expect(await waitingTime(test, "ORD")).toBe(20);
  expect(await waitingTime(test, "ORD")).toBe(35);
});

it("tells of planes that left", async () => {
  const test = createTestTributary(features);
  await planeLeft(test, "ORD", noon);
  expect(test.events(features.departures)).toEqual([{ origin: "ORD", at: noon }]);
});
