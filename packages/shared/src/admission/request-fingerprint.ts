import { createHash } from "node:crypto";
import type { WriteRequest } from "../contracts/write.ts";

/** SHA-256, hex, of what is to be written; the order of an object's fields does not matter. */
export function requestFingerprint({ view, rows }: Pick<WriteRequest, "view" | "rows">): string {
  return createHash("sha256").update(canonicalText({ view, rows })).digest("hex");
}

function canonicalText(value: unknown): string {
  if (typeof value === "bigint") return `${value}n`;
  if (value instanceof Uint8Array) return `x${Buffer.from(value).toString("hex")}`;
  if (Array.isArray(value)) return `[${value.map(canonicalText).join()}]`;
  if (value !== null && typeof value === "object") {
    const entries = Object.entries(value).filter(([, field]) => field !== undefined);
    const fields = entries.sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${fields.map(([name, field]) => `${JSON.stringify(name)}:${canonicalText(field)}`).join()}}`;
  }
  return typeof value === "string" ? JSON.stringify(value) : String(value);
}
