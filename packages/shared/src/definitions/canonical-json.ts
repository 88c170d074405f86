import { createHash } from "node:crypto";
import type { CatalogBody } from "../contracts/catalog.ts";

/** JSON with sorted keys and no white space: equal values give equal text. Undefined members are left out. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item ?? null)).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, member]) => `${JSON.stringify(name)}:${canonicalJson(member)}`);
  return `{${members.join(",")}}`;
}

/** SHA-256, hex, of the canonical JSON of a catalog's body. */
export function fingerprintOf(body: CatalogBody): string {
  return createHash("sha256").update(canonicalJson(body)).digest("hex");
}
