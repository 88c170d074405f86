import { closeSync, existsSync, fstatSync, openSync, readSync, statSync } from "node:fs";

const lastBytesMax = 8 * 1024;

/** Size of a file now, bytes; 0 when there is none. */
export function sizeOf(file: string): number {
  return existsSync(file) ? statSync(file).size : 0;
}

/** What was written to the file from the offset on; the offset of the next call is `next`. */
export function readFrom(file: string, offset: number): { readonly text: string; readonly next: number } {
  if (!existsSync(file)) return { text: "", next: offset };
  const descriptor = openSync(file, "r");
  try {
    const bytes = Buffer.alloc(Math.max(0, fstatSync(descriptor).size - offset));
    const count = readSync(descriptor, bytes, 0, bytes.length, offset);
    return { text: bytes.toString("utf8", 0, count), next: offset + count };
  } finally {
    closeSync(descriptor);
  }
}

/** The last lines written since the offset, for an error message. */
export function lastLines(file: string, offset: number, count = 12): string {
  const from = Math.max(offset, sizeOf(file) - lastBytesMax);
  const lines = readFrom(file, from).text.trimEnd().split("\n").slice(-count);
  return lines.map((line) => `  ${line}`).join("\n");
}
