import type { Tributary } from "@tributary/client/tributary";
import { boarding, congestion, departures } from "../cli/features.ts";

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
  const [detailed] = await tributary.read(boarding, keys, { detail: true });
  const value: number | null | undefined = detailed?.origin_score.value;
  const age: number | null | undefined = detailed?.origin_score.ageMs;
  const [untyped] = await tributary.read("boarding", keys);
  const anything: unknown = untyped?.origin_score;
  return { score, scoredAt, reason, value, age, anything };
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

export async function eventsAreTyped(tributary: Tributary) {
  await tributary.publish(departures, { origin: "ORD", delay: 3, at: new Date() });
  await tributary.publish(departures, [{ origin: "ORD", delay: 3, at: "2001-03-01T12:00:00Z" }]);
  // @ts-expect-error not a field of the source
  await tributary.publish(departures, { origin: "ORD", colour: 1 });
  // @ts-expect-error of the wrong type
  await tributary.publish(departures, { origin: 5 });
}
