import { openLetterBox } from "@tributary/shared/messaging/dead-letter-box";
import type { Invocation } from "../command.ts";
import { countOf, requireLetter } from "../dlq/letter-choice.ts";
import { decodedPayload, letterFacts } from "../dlq/letter-view.ts";
import { type CommandResult, toJson } from "../output.ts";
import { printable } from "../printable.ts";
import { alignColumns } from "../table.ts";
import { withConnection } from "../with-connection.ts";

export interface ShowFlags {
  readonly payload?: boolean;
}

export async function run({ args, options, settings }: Invocation<ShowFlags>): Promise<CommandResult> {
  const sequence = countOf(args[0] ?? "", "the sequence");
  return withConnection(settings.adminNatsUrl(), async (connection) => {
    const stored = await requireLetter(await openLetterBox(connection), sequence);
    const { letter } = stored;
    const payload = options.payload && letter ? { payload: decodedPayload(letter.subject, letter.payload) } : {};
    const data = { ...letterFacts(stored), payloadBytes: letter?.payload.length ?? null, ...payload };
    return { data, text: show(data) };
  });
}

function show({ original, payload, ...facts }: Readonly<Record<string, unknown>>): string {
  const origin = original === undefined ? [] : Object.entries(original as object).map(([k, v]) => [`original ${k}`, v]);
  const lines = [...Object.entries(facts), ...origin].map(([name, value]) => [String(name), printable(String(value))]);
  return payload === undefined ? alignColumns(lines) : `${alignColumns(lines)}\npayload\n${toJson(payload)}`;
}
