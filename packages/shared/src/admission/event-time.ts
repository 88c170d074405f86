import { parseTimestamp } from "../codec/timestamp.ts";
import { TributaryError } from "../contracts/errors.ts";
import { maxClockSkewMs } from "../contracts/limits.ts";

/**
 * An event time as epoch ms from epoch ms or RFC 3339 with a zone (V7: one from the future is refused here, never in the merge).
 * @throws TributaryError BAD_TIME, FUTURE_TIME
 */
export function admitEventTime(input: number | string, nowMs: number): number {
  const instant = parseTimestamp(input);
  if (instant === undefined) {
    throw new TributaryError("BAD_TIME", "eventTime must be whole epoch milliseconds or RFC 3339 with a zone");
  }
  const aheadMs = instant - nowMs;
  if (aheadMs > maxClockSkewMs) {
    throw new TributaryError("FUTURE_TIME", `eventTime lies ${aheadMs} ms ahead; ${maxClockSkewMs} ms are allowed`);
  }
  return instant;
}
