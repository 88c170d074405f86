import { exitCodes } from "../exit-codes.ts";
import type { CommandResult, Output } from "../output.ts";
import { printable } from "../printable.ts";
import { alignColumns } from "../table.ts";
import { describeRecord, type ErasureStatus, isDone, type Participant } from "./erasure-status.ts";

export function resultOf(status: ErasureStatus, output: Output): CommandResult {
  return { data: status, text: show(status, output), exitCode: isDone(status) ? exitCodes.ok : exitCodes.partial };
}

/** Without the key: it may be somebody's name. */
function show({ id, entity, erasedUpTo, participants, records, streams }: ErasureStatus, { colors }: Output): string {
  const color = (state: Participant["state"]) => (state === "done" ? colors.green(state) : colors.red(state));
  const lines = [
    ...participants.map(({ service, state, at, why }) => [`  ${service}`, color(state), printable(why ?? at ?? "")]),
    ...(records ?? []).map((record) => ["  redis", describeRecord(record), ""]),
    ...streams.map(({ stream, since, until }) => [
      `  ${stream}`,
      `messages since ${since} may name the key`,
      until === null ? "until the stream fills up" : `until ${until}`,
    ]),
  ];
  return `erasure ${id} of one ${entity}: what is of ${erasedUpTo} or before\n${alignColumns(lines)}`;
}
