import { type ErrorCode, TributaryError } from "@tributary/shared/contracts/errors";

const namesMax = 3;

/** The names a person may have meant: few letters away, or beginning alike; the nearest first. */
export function nearNames(wanted: string, names: readonly string[]): string[] {
  const reach = Math.max(2, Math.floor(wanted.length / 3));
  const lower = wanted.toLowerCase();
  return names
    .map((name) => ({ name, distance: distanceOf(lower, name.toLowerCase()) }))
    .filter(({ name, distance }) => distance <= reach || (lower.length > 2 && name.toLowerCase().includes(lower)))
    .sort((a, b) => a.distance - b.distance || (a.name < b.name ? -1 : 1))
    .slice(0, namesMax)
    .map(({ name }) => name);
}

/** The error for a name that is not there, with those near it. */
export function unknownName(code: ErrorCode, what: string, wanted: string, names: readonly string[]): TributaryError {
  const near = nearNames(wanted, names).map((name) => `"${name}"`);
  const question = near.length === 0 ? "" : `; did you mean ${near.join(" or ")}?`;
  return new TributaryError(code, `no ${what} "${wanted}" in the catalog${question}`);
}

/** Letters to insert, delete or replace. */
function distanceOf(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (const [i, letter] of [...a].entries()) {
    const next = [i + 1];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (letter === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
