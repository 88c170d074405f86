import { readFileSync } from "node:fs";

/** Fields of the line `cpu` in /proc/stat, in its order. Source: proc(5). */
const fields = ["user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal"] as const;

/**
 * Of the time in which a virtual machine had work for its processors, the share that its host gave to others, 0 to 1, since the
 * call before. Undefined where the system does not tell, and where there was no work.
 */
export function stolenTime(read: () => string = readStat): () => number | undefined {
  let before = wantedAndStolen(read());
  return () => {
    const now = wantedAndStolen(read());
    const wanted = now.wanted - before.wanted;
    const stolen = now.stolen - before.stolen;
    before = now;
    return wanted > 0 ? stolen / wanted : undefined;
  };
}

function readStat(): string {
  try {
    return readFileSync("/proc/stat", "utf8");
  } catch {
    return "";
  }
}

function wantedAndStolen(text: string): { readonly wanted: number; readonly stolen: number } {
  const numbers = /^cpu +(.*)$/m.exec(text)?.[1]?.split(" ").map(Number) ?? [];
  const of = (name: (typeof fields)[number]) => numbers[fields.indexOf(name)] ?? 0;
  const all = fields.reduce((sum, name) => sum + of(name), 0);
  return { wanted: all - of("idle") - of("iowait"), stolen: of("steal") };
}
