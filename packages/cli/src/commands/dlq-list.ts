import { openLetterBox } from "@tributary/shared/messaging/dead-letter-box";
import type { Invocation } from "../command.ts";
import { countOf, laneOf, lettersOf } from "../dlq/letter-choice.ts";
import { type LetterFacts, letterFacts } from "../dlq/letter-view.ts";
import type { CommandResult, Output } from "../output.ts";
import { printable } from "../printable.ts";
import { alignColumns } from "../table.ts";
import { withConnection } from "../with-connection.ts";

export interface ListFlags {
  readonly limit?: string;
  readonly lane?: string;
}

const limitDefault = 20;

export async function run({ options, settings, output }: Invocation<ListFlags>): Promise<CommandResult> {
  const max = options.limit === undefined ? limitDefault : countOf(options.limit, "--limit");
  const lane = laneOf(options.lane);
  return withConnection(settings.adminNatsUrl(), async (connection) => {
    const box = await openLetterBox(connection);
    const letters: LetterFacts[] = [];
    for await (const stored of lettersOf(box, lane)) if (letters.push(letterFacts(stored)) >= max) break;
    return { data: { total: box.messages, letters }, text: show(letters, box.messages, output) };
  });
}

function show(letters: readonly LetterFacts[], total: number, { colors }: Output): string {
  if (letters.length === 0) return total === 0 ? "no dead letters" : "no dead letters of that lane";
  const title = ["sequence", "time", "lane", "process", "subject", "code", "deliveries", "replayed", "cause"];
  const rows = letters.map((one) => [
    String(one.sequence),
    one.at,
    one.lane,
    one.process,
    one.original?.subject ?? "-",
    one.code,
    String(one.deliveries ?? "-"),
    one.replayed ? "yes" : "no",
    one.cause ?? "-",
  ]);
  return alignColumns([title.map((name) => colors.dim(name)), ...rows.map((row) => row.map(printable))]);
}
