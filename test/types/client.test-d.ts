import { createTestTributary } from "@tributary/client/testing";
import type { Tributary } from "@tributary/client/tributary";
import { boarding, congestion, departures } from "../cli/features.ts";
import { airportNow, planning, profile, tower } from "../client/definitions.ts";

/** Compiled, never run: each wrong use is marked, so that the type check fails when a mark is not needed any more. */
export async function readsAreTyped(tributary: Tributary) {
  const keys = [{ origin: "ORD", destination: "LAX" }];
  const [row] = await tributary.read(boarding, keys);
  const score: number | null | undefined = row?.origin_score;
  const scoredAt: Date | null | undefined = row?.destination_scoredAt;
  // @ts-expect-error a feature that the feature service does not have
  row?.score;
  // @ts-expect-error not a number
  const reason: number | null | undefined = row?.origin_reason;
  // @ts-expect-error a request key is missing
  await tributary.read(boarding, [{ origin: "ORD" }]);
  // @ts-expect-error a request key of the wrong type
  await tributary.read(boarding, [{ origin: 5, destination: "LAX" }]);
  // @ts-expect-error a request key too many
  await tributary.read(boarding, [{ origin: "ORD", destination: "LAX", gate: "B1" }]);
  // @ts-expect-error a row may be missing
  row.origin_score;
  // @ts-expect-error null is not handled
  const notNull: number | undefined = row?.origin_score;
  // @ts-expect-error a Date, not a number
  const instant: number | null | undefined = row?.origin_scoredAt;
  const [detailed] = await tributary.read(boarding, keys, { detail: true });
  const value: number | null | undefined = detailed?.origin_score.value;
  const age: number | null | undefined = detailed?.origin_score.ageMs;
  const [untyped] = await tributary.read("boarding", keys);
  const anything: unknown = untyped?.origin_score;
  // @ts-expect-error a detail is not the value
  const bare: number | null | undefined = detailed?.origin_score;
  // @ts-expect-error by name nothing is known of a value
  const known: number | undefined = untyped?.origin_score;
  return { score, scoredAt, reason, value, age, anything, notNull, instant, bare, known };
}

export async function featureServicesAreKeptApart(tributary: Tributary) {
  const [planned] = await tributary.read(planning, [{ code: "ORD" }]);
  const [now] = await tributary.read(tower, [{ code: "ORD" }]);
  const withDefault: number | undefined = planned?.p_delay;
  const windowed: number | null | undefined = now?.departures_15m;
  // @ts-expect-error a column of another feature service
  now?.p_delay;
  // @ts-expect-error a window that the view does not have
  now?.departures_1h;
  // @ts-expect-error a feature of the upper layer alone
  planned?.p_note;
  // @ts-expect-error not picked
  now?.text;
  // @ts-expect-error another feature service's keys
  await tributary.read(tower, [{ origin: "ORD", destination: "LAX" }]);
  return { withDefault, windowed };
}

export async function writesAreTyped(tributary: Tributary) {
  await tributary.write(congestion, [{ key: { code: "ORD" }, features: { score: 0.5, scoredAt: new Date() } }]);
  await tributary.write(congestion, [{ key: { code: "ORD" }, withdraw: ["reason"], eventTime: new Date() }]);
  // @ts-expect-error not a join key of the view's entity
  await tributary.write(congestion, [{ key: { origin: "ORD" }, features: { score: 0.5 } }]);
  // @ts-expect-error not a feature of the view
  await tributary.write(congestion, [{ key: { code: "ORD" }, features: { colour: 1 } }]);
  // @ts-expect-error of the wrong type
  await tributary.write(congestion, [{ key: { code: "ORD" }, features: { score: "high" } }]);
  // @ts-expect-error not a feature of the view
  await tributary.write(congestion, [{ key: { code: "ORD" }, withdraw: ["colour"] }]);
}

export async function wrongKeysAndLanesAreSeen(tributary: Tributary) {
  // @ts-expect-error a key is missing
  await tributary.write(congestion, [{ features: { score: 0.5 } }]);
  // @ts-expect-error a key of the wrong type
  await tributary.write(congestion, [{ key: { code: 5 }, features: { score: 0.5 } }]);
  // @ts-expect-error an event time that is none
  await tributary.write(congestion, [{ key: { code: "ORD" }, eventTime: true }]);
}

export function theStandInIsTyped() {
  const test = createTestTributary([tower]);
  test.set(airportNow, { code: "ORD" }, { departures_15m: 3 });
  test.set(profile, { code: "ORD" }, { flights: null }, { eventTime: new Date() });
  const [event] = test.events(departures);
  const at: Date | null | undefined = event?.at;
  // @ts-expect-error not a feature of the view
  test.set(airportNow, { code: "ORD" }, { departures: 3 });
  // @ts-expect-error of the wrong type
  test.set(profile, { code: "ORD" }, { flights: "many" });
  // @ts-expect-error not the view's key
  test.set(profile, { origin: "ORD" }, { flights: 3 });
  // @ts-expect-error not a field of the source
  event?.colour;
  // @ts-expect-error not a duration
  test.clock.advance("ten minutes");
  return at;
}

export async function eventsAreTyped(tributary: Tributary) {
  await tributary.publish(departures, { origin: "ORD", delay: 3, at: new Date() });
  await tributary.publish(departures, [{ origin: "ORD", delay: 3, at: "2001-03-01T12:00:00Z" }]);
  // @ts-expect-error not a field of the source
  await tributary.publish(departures, { origin: "ORD", colour: 1 });
  // @ts-expect-error of the wrong type
  await tributary.publish(departures, { origin: 5 });
}
