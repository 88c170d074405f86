import { streamTable } from "@tributary/shared/contracts/topology";
import { type ErasureStatus, isDone } from "./erasure-status.ts";

/** Longer than any position that a stream-processor or a store may go back to. */
const ageMsMin = Math.max(
  ...streamTable.filter(({ name }) => name === "TRIB_EVENTS" || name === "TRIB_KEYED").map(({ maxAgeMs }) => maxAgeMs),
);

/**
 * What could bring an erased key back if the erasure were forgotten; none: nothing that is known of.
 * @param nowMs real epoch ms
 */
export function neededBy(status: ErasureStatus, nowMs: number): string[] {
  const { participants, streams, sources, liftedAt, requestedAt } = status;
  const pending = participants.filter(({ state }) => state !== "done");
  const readyMs = Date.parse(requestedAt) + ageMsMin;
  return [
    ...(isDone(status) ? [] : pending.map(({ service }) => `${service} has not carried it out`)),
    ...streams.map(({ stream, since }) => `${stream} holds messages since ${since}, which a replay would read`),
    ...(sources.length > 0 && liftedAt === null ? ["batch runs keep the key out by it: lift it first"] : []),
    ...(nowMs < readyMs ? [`it is not ${ageMsMin / 3_600_000} hours old`] : []),
  ];
}
