import { TributaryError } from "@tributary/shared/contracts/errors";
import type { VersionEntry, VersionState } from "../catalog/history.ts";
import { withHistory } from "../catalog/with-history.ts";
import type { Invocation } from "../command.ts";
import type { CommandResult } from "../output.ts";
import { printable } from "../printable.ts";
import { alignColumns } from "../table.ts";

interface Flags {
  readonly limit?: string;
}

const limitDefault = 20;
const limitMax = 10_000;

export async function run({ options, settings, output }: Invocation<Flags>): Promise<CommandResult> {
  const limit = limitOf(options.limit);
  const versions = await withHistory(settings, (history) => history.list(limit));
  if (versions.length === 0) return { data: { versions }, text: "no catalog has been applied yet" };
  const dim = output.colors.dim;
  const head = ["version", "", "applied", "by", "fingerprint", "message"].map((title) => dim(title));
  return { data: { versions }, text: alignColumns([head, ...versions.map(line)]) };
}

function limitOf(text: string | undefined): number {
  const limit = text === undefined ? limitDefault : Number(text);
  if (Number.isInteger(limit) && limit >= 1 && limit <= limitMax) return limit;
  throw new TributaryError("BAD_CONFIG", `--limit must be a whole number from 1 to ${limitMax}`);
}

export const stateWords: Readonly<Record<VersionState, string>> = {
  current: "current",
  earlier: "",
  neverCurrent: "never current",
};

function line({ version, state, recordedAtMs, author, fingerprint, message }: VersionEntry): string[] {
  const at = new Date(recordedAtMs).toISOString();
  const said = [author ?? "", fingerprint.slice(0, 12), message ?? ""].map(printable);
  return [String(version), stateWords[state], at, ...said];
}
