import { canonicalJson } from "@tributary/shared/definitions/canonical-json";
import { durationText } from "@tributary/shared/definitions/duration-text";
import type { Output } from "../output.ts";
import { alignColumns } from "../table.ts";
import { type Change, type ChangeKind, isNew } from "./change.ts";
import type { Difference } from "./difference.ts";
import type { LaneCheck } from "./lane-check.ts";
import { type Plan, wordFor } from "./plan.ts";

type Colors = Output["colors"];

const marks: Readonly<Record<ChangeKind, string>> = { addition: "+", compatible: "~", breaking: "!", removal: "-" };

/** The plan for a person: changes, then whether each lane keeps its view's freshness, then the count of each kind. */
export function showPlan(plan: Plan, colors: Colors): string {
  const changes = showChanges(plan.changes, colors);
  const lanes = alignColumns(plan.lanes.map((lane) => showLane(lane, colors)));
  const parts = [changes, lanes === "" ? "" : `lanes\n${lanes}`, countKinds(plan.changes)];
  return parts.filter((part) => part !== "").join("\n\n");
}

export function showChanges(changes: readonly Change[], colors: Colors): string {
  const shown = changes.filter((change) => !isImplied(change, changes));
  const heads = shown.map((change) => [
    paint(change.kind, colors)(marks[change.kind]),
    wordFor(change.what),
    change.name,
    countFeatures(change, changes),
  ]);
  const lines = alignColumns(heads).split("\n");
  return shown.flatMap((change, i) => [lines[i] ?? "", ...notesOf(change).map((note) => `    ${note}`)]).join("\n");
}

/** A feature that comes or goes with its view. */
function isImplied({ what, kind, name }: Change, changes: readonly Change[]): boolean {
  const isWhole = kind === "addition" || kind === "removal";
  return what === "feature" && isWhole && changes.some((one) => isViewOf(one, name) && one.kind === kind);
}

function isViewOf({ what, name }: Change, feature: string): boolean {
  return what === "view" && feature.startsWith(`${name}.`);
}

function countFeatures(view: Change, changes: readonly Change[]): string {
  if (view.kind !== "addition" && view.kind !== "removal") return "";
  const count = changes.filter((one) => one.what === "feature" && isViewOf(view, one.name)).length;
  return count === 0 ? "" : `${count} features`;
}

function notesOf({ kind, reason, differences, fix, breaks }: Change): string[] {
  const isAgreed = kind === "breaking" && fix === null;
  const isReturn = kind === "addition" && reason !== isNew;
  return [
    ...differences.map(showDifference),
    ...(isAgreed || isReturn ? [reason] : []),
    ...(breaks.length === 0 ? [] : [`feature services that notice: ${breaks.join(", ")}`]),
    ...(fix === null ? [] : [`needed: ${fix}`]),
  ];
}

function showDifference({ field, before, after }: Difference): string {
  return `${field}: ${showValue(field, before)} → ${showValue(field, after)}`;
}

/** Long texts, such as SQL, are only said to differ; `--json` has them whole. */
const shownLengthMax = 80;

function showValue(field: string, value: unknown): string {
  if (value === undefined || value === null) return "none";
  if (field.endsWith("Ms") && typeof value === "number") return durationText(value);
  const text = typeof value === "object" ? canonicalJson(value) : String(value);
  const line = text.replace(/\s+/g, " ").trim();
  return line.length <= shownLengthMax ? line : `${line.slice(0, shownLengthMax)}… (${line.length} characters)`;
}

function showLane({ view, lane, meets, why, fix, chosen }: LaneCheck, colors: Colors): string[] {
  const said = meets ? why : `${why}; ${fix}`;
  const choice = chosen === null ? "" : ` (chosen by ${chosen.rule}: ${chosen.why})`;
  return [meets ? colors.green("✓") : colors.red("✗"), view, lane, `${said}${choice}`];
}

function countKinds(changes: readonly Change[]): string {
  if (changes.length === 0) return "no changes";
  const of = (kind: ChangeKind) => changes.filter((change) => change.kind === kind).length;
  return `${of("addition")} additions, ${of("compatible")} compatible, ${of("breaking")} breaking, ${of("removal")} removals`;
}

function paint(kind: ChangeKind, colors: Colors): (text: string) => string {
  switch (kind) {
    case "addition":
      return colors.green;
    case "compatible":
      return colors.yellow;
    case "breaking":
    case "removal":
      return colors.red;
    default:
      return kind satisfies never;
  }
}
