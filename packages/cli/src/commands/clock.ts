import { parseTimestamp } from "@tributary/shared/codec/timestamp";
import { type ClockRecord, clockAt, ordinaryClock } from "@tributary/shared/contracts/clock";
import { TributaryError } from "@tributary/shared/contracts/errors";
import { openBucket } from "@tributary/shared/messaging/bucket";
import type { Bucket } from "@tributary/shared/messaging/contract";
import { clockKey, decodeClock, setClock } from "@tributary/shared/runtime/clock-client";
import type { Invocation } from "../command.ts";
import type { CommandResult } from "../output.ts";
import { withConnection } from "../with-connection.ts";

export interface ClockFlags {
  readonly rate?: string;
}

export async function run({ args, options, settings }: Invocation<ClockFlags>): Promise<CommandResult> {
  const [action = "show", instant] = args;
  const rate = options.rate === undefined ? undefined : rateOf(options.rate);
  const natsUrl = action === "show" ? settings.natsUrl() : settings.adminNatsUrl();
  return withConnection(natsUrl, async (connection) => {
    const bucket = await openBucket(connection, "TRIB_CLOCK");
    const realMs = Date.now();
    const record = await readClock(bucket);
    const next = changeClock(record, { action, instant, rate, realMs });
    if (next) await setClock(bucket, next);
    return describe(next ?? record, realMs);
  });
}

interface Change {
  readonly action: string;
  readonly instant: string | undefined;
  readonly rate: number | undefined;
  readonly realMs: number;
}

/** The new record; undefined when nothing is to change. @throws TributaryError BAD_CONFIG */
export function changeClock(record: ClockRecord, { action, instant, rate, realMs }: Change): ClockRecord | undefined {
  const nowMs = clockAt(record, realMs);
  switch (action) {
    case "show":
      return undefined;
    case "set":
      return { simulatedMs: instantOf(instant), realMs, rate: rate ?? record.rate };
    case "pause":
      return { simulatedMs: nowMs, realMs, rate: 0 };
    case "resume":
      return { simulatedMs: nowMs, realMs, rate: rate ?? 1 };
    default:
      throw new TributaryError("BAD_CONFIG", `clock ${action}: it is show, set, pause or resume`);
  }
}

async function readClock(bucket: Bucket): Promise<ClockRecord> {
  const entry = await bucket.get(clockKey);
  return entry ? decodeClock(entry.value) : ordinaryClock;
}

function describe(record: ClockRecord, realMs: number): CommandResult {
  const now = new Date(clockAt(record, realMs)).toISOString();
  const speed = record.rate === 0 ? "paused" : `rate ${record.rate}`;
  return { data: { now, ...record }, text: `${now}, ${speed}` };
}

function instantOf(text: string | undefined): number {
  const instant = parseTimestamp(text !== undefined && /^-?\d+$/.test(text) ? Number(text) : text);
  if (instant !== undefined) return instant;
  throw new TributaryError("BAD_CONFIG", "clock set needs an instant: epoch milliseconds or RFC 3339 with a zone");
}

function rateOf(text: string): number {
  const rate = Number(text);
  if (Number.isFinite(rate) && rate >= 0 && rate <= 100_000) return rate;
  throw new TributaryError("BAD_CONFIG", "--rate must be a number from 0 to 100000");
}
