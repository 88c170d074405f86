import { readFileSync } from "node:fs";

/** Linux counts processor time for `/proc` in hundredths of a second, whatever the kernel's own tick is. */
const tickMs = 10;

/** Processor time of a process since its start, ms; NaN where the system does not tell it in /proc. */
export function processCpuMs(pid: number | undefined): number {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The name, in parentheses, may hold blanks; user and system time are the 12th and 13th field behind it.
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    return (Number(fields[11]) + Number(fields[12])) * tickMs;
  } catch {
    return Number.NaN;
  }
}
