import { asTributaryError, isErrorCode, TributaryError } from "@tributary/shared/contracts/errors";
import type { Connection } from "@tributary/shared/messaging/contract";
import { type LetterBox, openLetterBox } from "@tributary/shared/messaging/dead-letter-box";
import type { Invocation } from "../command.ts";
import { countOf, laneOf, lettersOf, requireLetter } from "../dlq/letter-choice.ts";
import { replayLetter } from "../dlq/replay.ts";
import { exitCodeOf, exitCodes } from "../exit-codes.ts";
import type { CommandResult } from "../output.ts";
import { printable } from "../printable.ts";
import { alignColumns } from "../table.ts";
import { withConnection } from "../with-connection.ts";

export interface ReplayFlags {
  readonly all?: boolean;
  readonly lane?: string;
  readonly again?: boolean;
}

interface ReplayOutcome {
  readonly sequence: number;
  readonly outcome: "replayed" | "duplicate" | "refused";
  /** Where the message stands now. */
  readonly stream?: string;
  readonly at?: number;
  readonly code?: string;
  readonly message?: string;
}

/** Oldest first, one after the other: in the order in which they were set aside. */
export async function run(invocation: Invocation<ReplayFlags>): Promise<CommandResult> {
  const { args, options, settings, output, interruption } = invocation;
  const lane = laneOf(options.lane);
  if ((args.length === 0) === !options.all) throw new TributaryError("BAD_CONFIG", "give sequences, or --all");
  if (lane !== undefined && !options.all) throw new TributaryError("BAD_CONFIG", "--lane goes with --all");
  const asked = args.map((text) => countOf(text, "a sequence"));
  return withConnection(settings.adminNatsUrl(), async (connection) => {
    const box = await openLetterBox(connection);
    const again = options.again ?? false;
    const chosen = options.all ? await everySequence(box, lane, again) : asked;
    const outcomes: ReplayOutcome[] = [];
    interruption.underWay(() => `${outcomes.length} of ${chosen.length} letters are done; replay again for the rest`);
    for (const sequence of chosen) {
      output.progress.update({ what: "replaying", done: outcomes.length, total: chosen.length, unit: "letters" });
      outcomes.push(await replayOne(connection, box, { sequence, again }));
    }
    return { data: { outcomes }, text: show(outcomes), exitCode: exitCodeOfAll(outcomes) };
  });
}

async function everySequence(box: LetterBox, lane: string | undefined, again: boolean): Promise<number[]> {
  const sequences: number[] = [];
  // Sequences alone: the payloads may be more than fits into memory.
  for await (const { sequence, replayed } of lettersOf(box, lane)) if (again || !replayed) sequences.push(sequence);
  return sequences.reverse();
}

async function replayOne(
  connection: Connection,
  box: LetterBox,
  { sequence, again }: { readonly sequence: number; readonly again: boolean },
): Promise<ReplayOutcome> {
  try {
    const { letter, replayed } = await requireLetter(box, sequence);
    if (letter === undefined) throw new TributaryError("UNSUPPORTED_FORMAT", "not a dead letter this build can read");
    if (replayed && !again)
      throw new TributaryError("MALFORMED", "it was replayed before; --again replays it once more");
    const ack = await replayLetter(connection, { sequence, letter });
    await box.noteReplayed(sequence);
    return { sequence, outcome: ack.duplicate ? "duplicate" : "replayed", stream: ack.stream, at: ack.sequence };
  } catch (thrown) {
    const { code, message } = asTributaryError(thrown);
    return { sequence, outcome: "refused", code, message };
  }
}

function show(outcomes: readonly ReplayOutcome[]): string {
  if (outcomes.length === 0) return "nothing to replay";
  return alignColumns(
    outcomes.map(({ sequence, outcome, stream, at, message }) => [
      String(sequence),
      outcome,
      message === undefined ? `${stream} ${at}` : printable(message),
    ]),
  );
}

/** All refused: as if the first were the only one. */
function exitCodeOfAll(outcomes: readonly ReplayOutcome[]): number {
  const refused = outcomes.filter(({ outcome }) => outcome === "refused");
  if (refused.length === 0) return exitCodes.ok;
  if (refused.length < outcomes.length) return exitCodes.partial;
  const code = refused[0]?.code;
  return code !== undefined && isErrorCode(code) ? exitCodeOf(code) : exitCodes.failure;
}
