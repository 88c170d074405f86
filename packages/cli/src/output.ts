import { isErrorCode, type TributaryError, toWireError } from "@tributary/shared/contracts/errors";
import { DefinitionError } from "@tributary/shared/definitions/problems";
import { type Colors, colorsOf } from "./colors.ts";
import { exitCodeOf, exitCodes } from "./exit-codes.ts";
import { createProgress, type Progress, silentProgress } from "./progress.ts";
import type { World } from "./world.ts";

/** Where a command speaks: its data on standard output, everything else on standard error. */
export interface Output {
  readonly json: boolean;
  /** For what goes to standard output. */
  readonly colors: Colors;
  /** For remarks. */
  readonly noteColors: Colors;
  /** A remark; not with `--quiet`. */
  note(line: string): void;
  /** Only with `--verbose`. */
  detail(line: string): void;
  /** Not with `--quiet` or `--json`. */
  readonly progress: Progress;
  /** An error for people. */
  fail(lines: { readonly error: string; readonly hint: string }): void;
  /** Always said, as it stands. */
  say(line: string): void;
  /** To standard output. */
  print(text: string): void;
}

export interface OutputFlags {
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly verbose?: boolean;
  readonly color?: boolean;
}

export interface CommandResult {
  readonly data: unknown;
  /** For people; printed without `--json`. */
  readonly text: string;
  readonly exitCode?: number;
  /** Why it went no further than `data` says: the exit code is then `partial` unless `exitCode` is given. */
  readonly error?: TributaryError;
  /** `--json` prints the data alone, without the envelope. */
  readonly bare?: boolean;
  /** The command has printed its data itself, line by line. */
  readonly streamed?: boolean;
}

export function createOutput(flags: OutputFlags, { stdout, stderr, environment }: World): Output {
  const { json = false, quiet = false, verbose = false, color = true } = flags;
  const colors = colorsOf({ wanted: color, environment, stream: stdout });
  const noteColors = colorsOf({ wanted: color, environment, stream: stderr });
  const progress = quiet || json ? silentProgress : createProgress(stderr, () => performance.now());
  const say = (line: string) => {
    progress.clear();
    stderr.write(`${line}\n`);
  };
  return {
    json,
    colors,
    noteColors,
    progress,
    say,
    note: (line) => void (quiet || say(line)),
    detail: (line) => void (verbose && say(noteColors.dim(line))),
    fail: ({ error, hint }) => say(`${noteColors.red("error:")} ${error}\n${noteColors.dim("hint:")} ${hint}`),
    print: (text) => {
      progress.clear();
      stdout.write(text);
    },
  };
}

/** Prints the result; returns the exit code. */
export function printResult(output: Output, result: CommandResult): number {
  if (result.error !== undefined) return printPartial(output, result, result.error);
  if (result.streamed) return result.exitCode ?? exitCodes.ok;
  const data = result.bare ? result.data : { ok: true, data: result.data };
  output.print(output.json ? `${toJson(data)}\n` : ensureNewline(result.text));
  return result.exitCode ?? exitCodes.ok;
}

export function printError(output: Output, error: TributaryError): number {
  const { code, message, hint } = toWireError(error);
  const more = error instanceof DefinitionError ? { problems: error.problems } : {};
  if (output.json) output.print(`${toJson({ ok: false, error: { code, message, hint, ...more } })}\n`);
  output.fail({ error: `${message} (${code})`, hint });
  return isErrorCode(code) ? exitCodeOf(code) : exitCodes.failure;
}

function printPartial(output: Output, { data, text, exitCode }: CommandResult, error: TributaryError): number {
  const { code, message, hint } = toWireError(error);
  output.print(output.json ? `${toJson({ ok: false, error: { code, message, hint }, data })}\n` : ensureNewline(text));
  output.fail({ error: `${message} (${code})`, hint });
  return exitCode ?? exitCodes.partial;
}

export function toJson(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) => (typeof item === "bigint" ? item.toString() : item));
}

function ensureNewline(text: string): string {
  return text === "" || text.endsWith("\n") ? text : `${text}\n`;
}
