import type { RecordedVersion } from "../catalog/history.ts";
import { requireVersion } from "../catalog/live-catalog.ts";
import { showChanges } from "../catalog/show-plan.ts";
import { versionNumber } from "../catalog/version-number.ts";
import { withHistory } from "../catalog/with-history.ts";
import type { Invocation } from "../command.ts";
import type { CommandResult, Output } from "../output.ts";
import { printable } from "../printable.ts";
import { alignColumns } from "../table.ts";
import { stateWords } from "./catalog-list.ts";

export async function run({ args, settings, output }: Invocation): Promise<CommandResult> {
  const [wanted] = args;
  const version = await withHistory(settings, (history, live) =>
    history.read(wanted === undefined ? requireVersion(live) : versionNumber(wanted)),
  );
  return { data: version, text: show(version, output) };
}

function show(recorded: RecordedVersion, { colors }: Output): string {
  const { version, state, body, diff, follows } = recorded;
  const facts = [
    ["state", stateWords[state] || "earlier"],
    ["applied", new Date(recorded.recordedAtMs).toISOString()],
    ...(recorded.author === null ? [] : [["by", printable(recorded.author)]]),
    ...(recorded.message ? [["message", printable(recorded.message)]] : []),
    ["fingerprint", recorded.fingerprint],
    ...(follows === null ? [] : [["follows", follows === 0 ? "nothing" : String(follows)]]),
    ["has", countsOf(body)],
  ];
  const changed = diff === null ? "what it changed was not recorded" : showChanges(diff, colors) || "no changes";
  return `catalog version ${version}\n${alignColumns(facts.map(([name = "", what = ""]) => [`  ${name}`, what]))}\n\n${changed}`;
}

function countsOf({ entities, sources, views, featureServices }: RecordedVersion["body"]): string {
  const count = (members: object, word: string) => `${Object.keys(members).length} ${word}`;
  const parts = [count(entities, "entities"), count(sources, "sources"), count(views, "views")];
  return [...parts, count(featureServices, "feature services")].join(", ");
}
