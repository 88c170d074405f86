import { type Dirent, readdirSync, statSync } from "node:fs";
import { join } from "node:path";

const sourceFile = /\.([cm]?[jt]s|json|sql)$/;
const filesMax = 2_000;

/**
 * Stands for the state of all source files in a folder and below, but for node_modules and names that begin with a dot: it
 * differs when one was written, added or removed. Looked at again and again, it sees what file events of some editors,
 * network folders and containers do not tell.
 */
export function sourceFingerprint(folder: string): string {
  return sourcesIn(folder)
    .slice(0, filesMax)
    .map((file) => `${file}\t${stateOf(file)}`)
    .join("\n");
}

/** Files that differ between two fingerprints. */
export function changedSources(before: string, after: string): readonly string[] {
  const [old, now] = [new Set(before.split("\n")), new Set(after.split("\n"))];
  const lines = [...[...now].filter((line) => !old.has(line)), ...[...old].filter((line) => !now.has(line))];
  return [...new Set(lines.map((line) => line.split("\t")[0] ?? ""))].filter((file) => file !== "");
}

function sourcesIn(folder: string): string[] {
  return entriesOf(folder).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.name.startsWith(".") || entry.name === "node_modules") return [];
    if (entry.isDirectory()) return sourcesIn(path);
    return sourceFile.test(entry.name) ? [path] : [];
  });
}

function entriesOf(folder: string): readonly Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return []; // it went while we looked
  }
}

function stateOf(file: string): string {
  try {
    const { mtimeMs, size, ino } = statSync(file);
    return `${mtimeMs} ${size} ${ino}`;
  } catch {
    return "gone";
  }
}
