import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { TributaryError } from "@tributary/shared/contracts/errors";
import { isAlive, startedAt } from "./process-identity.ts";

/**
 * `<directory>/processes.json`: who owns the directory, and every process started for it, each with the moment it began.
 * Whoever finds the file later can prove which leftovers are its own. Read, changed and written in one synchronous step.
 */
export interface ProcessEntry {
  readonly name: string;
  readonly pid: number;
  /** Opaque; with the pid it names one process for ever. */
  readonly started: string;
}

interface Table {
  readonly owner: ProcessEntry;
  readonly processes: readonly ProcessEntry[];
}

/** Processes of the directory that are alive now, in the order in which they were started. */
export function listProcesses(directory: string): readonly ProcessEntry[] {
  return (readTable(directory)?.processes ?? []).filter(isAlive);
}

/** The process that owns the directory now. */
export function ownerOf(directory: string): ProcessEntry | undefined {
  const owner = lastOwnerOf(directory);
  return owner !== undefined && isAlive(owner) ? owner : undefined;
}

/** The process that owns the directory, or did until it died; undefined when the last one has ended in order. */
export function lastOwnerOf(directory: string): ProcessEntry | undefined {
  return readTable(directory)?.owner;
}

/** Makes this process the owner of the directory, with nothing started yet. */
export function takeOwnership(directory: string): ProcessEntry {
  mkdirSync(directory, { recursive: true });
  const owner = { name: "owner", pid: process.pid, started: startedAt(process.pid) ?? "unknown" };
  writeTable(directory, { owner, processes: [] });
  return owner;
}

/** The directory belongs to nobody, and nothing of it runs. */
export function endOwnership(directory: string): void {
  rmSync(join(directory, "processes.json"), { force: true });
}

/** Adds a process that has just been started; one that has ended already is not added. */
export function registerProcess(directory: string, process: { readonly name: string; readonly pid: number }): void {
  const started = startedAt(process.pid);
  if (started === undefined) return;
  const table = mustReadTable(directory);
  writeTable(directory, { ...table, processes: [...table.processes, { ...process, started }] });
}

export function forgetProcess(directory: string, pid: number): void {
  const table = readTable(directory);
  if (table === undefined) return;
  writeTable(directory, { ...table, processes: table.processes.filter((entry) => entry.pid !== pid) });
}

function mustReadTable(directory: string): Table {
  const table = readTable(directory);
  if (table === undefined) throw new TributaryError("INTERNAL", `no process owns ${directory}`);
  return table;
}

function readTable(directory: string): Table | undefined {
  const file = join(directory, "processes.json");
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch {
    return undefined; // nothing was ever started here
  }
  try {
    const table: unknown = JSON.parse(text);
    if (isTable(table)) return table;
    throw new TypeError("not a process table");
  } catch (error) {
    throw new TributaryError("CORRUPT", `${file} cannot be read; check for leftover processes, then remove it`, {
      cause: error,
    });
  }
}

function writeTable(directory: string, table: Table): void {
  const file = join(directory, "processes.json");
  try {
    writeFileSync(`${file}.new`, `${JSON.stringify(table, undefined, 2)}\n`);
    renameSync(`${file}.new`, file);
  } catch (error) {
    // The directory was removed while its processes ended: there is nothing left to keep account of.
    if ((error as NodeJS.ErrnoException).code !== "ENOENT" || table.processes.length > 0) throw error;
  }
}

function isTable(value: unknown): value is Table {
  const { owner, processes } = (value ?? {}) as Partial<Table>;
  return isEntry(owner) && Array.isArray(processes) && processes.every(isEntry);
}

function isEntry(value: unknown): value is ProcessEntry {
  const { name, pid, started } = (value ?? {}) as Partial<ProcessEntry>;
  return typeof name === "string" && typeof started === "string" && Number.isInteger(pid) && Number(pid) > 1;
}
