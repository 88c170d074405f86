import { isErrorCode, type TributaryError, toWireError } from "@tributary/shared/contracts/errors";
import picocolors from "picocolors";
import { exitCodeOf, exitCodes } from "./exit-codes.ts";

/** Where a command speaks: its data on standard output, everything else on standard error. */
export interface Output {
  readonly json: boolean;
  readonly colors: ReturnType<typeof picocolors.createColors>;
  /** Progress and remarks. */
  note(line: string): void;
}

export interface CommandResult {
  readonly data: unknown;
  /** For people; printed without `--json`. */
  readonly text: string;
  readonly exitCode?: number;
  /** `--json` prints the data alone, without the envelope. */
  readonly bare?: boolean;
  /** The command has printed its data itself, line by line. */
  readonly streamed?: boolean;
}

export function createOutput(json: boolean): Output {
  const plain = process.env.NO_COLOR !== undefined && process.env.NO_COLOR !== "";
  return {
    json,
    colors: picocolors.createColors(process.stdout.isTTY === true && !plain),
    note: (line) => void process.stderr.write(`${line}\n`),
  };
}

/** Prints the result; returns the exit code. */
export function printResult(output: Output, result: CommandResult): number {
  if (result.streamed) return result.exitCode ?? exitCodes.ok;
  const data = result.bare ? result.data : { ok: true, data: result.data };
  process.stdout.write(output.json ? `${toJson(data)}\n` : ensureNewline(result.text));
  return result.exitCode ?? exitCodes.ok;
}

export function printError(output: Output, error: TributaryError): number {
  const { code, message, hint } = toWireError(error);
  if (output.json) process.stdout.write(`${toJson({ ok: false, error: { code, message, hint } })}\n`);
  process.stderr.write(`error: ${message} (${code})\nhint: ${hint}\n`);
  return isErrorCode(code) ? exitCodeOf(code) : exitCodes.failure;
}

export function toJson(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) => (typeof item === "bigint" ? item.toString() : item));
}

function ensureNewline(text: string): string {
  return text === "" || text.endsWith("\n") ? text : `${text}\n`;
}
