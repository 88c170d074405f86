import { exitCodes } from "../exit-codes.ts";
import type { CommandResult, Output } from "../output.ts";
import { printable } from "../printable.ts";
import { alignColumns } from "../table.ts";
import { type ErasureStatus, isDone } from "./erasure-status.ts";
import type { FeedingSource } from "./fed-by.ts";
import { describeRecord, type Participant } from "./participants.ts";

export function resultOf(status: ErasureStatus, output: Output): CommandResult {
  return { data: status, text: show(status, output), exitCode: isDone(status) ? exitCodes.ok : exitCodes.partial };
}

/** Without the key: it may be somebody's name. */
function show(status: ErasureStatus, { colors }: Output): string {
  const { id, entity, erasedUpTo, participants, records, streams, sources, liftedAt } = status;
  const color = (state: Participant["state"]) => (state === "done" ? colors.green(state) : colors.red(state));
  const lines = [
    ...participants.map(({ service, state, at, why }) => [`  ${service}`, color(state), printable(why ?? at ?? "")]),
    ...(records ?? []).map((record) => ["  redis", describeRecord(record), ""]),
    ...streams.map(({ stream, since, until }) => [
      `  ${stream}`,
      `messages since ${since} may name the key`,
      until === null ? "until the stream fills up" : `until ${until}`,
    ]),
    ...sources.map(showSource),
  ];
  const runs = sources.length === 0 ? "" : `\n${showRuns(id, liftedAt)}`;
  return `erasure ${id} of one ${entity}: what is of ${erasedUpTo} or before\n${alignColumns(lines)}${runs}`;
}

function showSource({ source, where, views }: FeedingSource): string[] {
  const place = where.length === 0 ? "" : ` (${where.join(", ")})`;
  return [`  ${source}`, `rows of the key are left to their owner${place}`, `feeds ${views.join(", ")}`];
}

function showRuns(id: string, liftedAt: string | null): string {
  return liftedAt === null
    ? `batch runs keep the key out, until \`tributary erasures lift ${id}\``
    : `batch runs take the key again since ${liftedAt}`;
}
