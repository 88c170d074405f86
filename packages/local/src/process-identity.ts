import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";

/**
 * A pid alone proves nothing: the system gives it to somebody else after the process has ended. A pid together with
 * the moment the process began names one process for ever, so only such a pair is ever signalled.
 */
const hasProc = existsSync("/proc/self/stat");
let bootId: string | undefined;

/** When the process began, as an opaque text; undefined when there is no such process, or only its corpse. */
export function startedAt(pid: number): string | undefined {
  return hasProc ? startedAtByProc(pid) : startedAtByPs(pid);
}

export function isAlive(process: { readonly pid: number; readonly started: string }): boolean {
  return startedAt(process.pid) === process.started;
}

/** The process and all below it, parents first. Without /proc only the process itself. */
export function withDescendants(pid: number): readonly number[] {
  if (!hasProc) return [pid];
  const parents = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map((name) => [Number(name), Number(statFields(Number(name))?.[1])] as const);
  const found = [pid];
  for (const parent of found) {
    for (const [child, itsParent] of parents) if (itsParent === parent) found.push(child);
  }
  return found;
}

function startedAtByProc(pid: number): string | undefined {
  const fields = statFields(pid);
  if (fields === undefined || fields[0] === "Z" || fields[0] === "X") return undefined;
  bootId ??= readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  return `${bootId}:${fields[19]}`;
}

/** Fields of proc(5) stat from the third on; the second is a name that may hold spaces and parentheses. */
function statFields(pid: number): readonly string[] | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  } catch {
    return undefined; // it has ended
  }
}

function startedAtByPs(pid: number): string | undefined {
  try {
    const text = execFileSync("ps", ["-o", "state=,lstart=", "-p", String(pid)], { encoding: "utf8" }).trim();
    return text === "" || text.startsWith("Z") ? undefined : text.replace(/^\S+\s+/, "");
  } catch {
    return undefined; // ps exits 1 when there is no such process
  }
}
