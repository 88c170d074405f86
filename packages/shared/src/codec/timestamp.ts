/** RFC 3339 with a zone; anything looser is refused, because a missing zone is read differently everywhere. */
const rfc3339 = /^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?([Zz]|[+-]\d{2}:\d{2})$/;

/** Epoch ms of epoch milliseconds or RFC 3339 text with a zone; undefined for anything else. */
export function parseTimestamp(value: unknown): number | undefined {
  if (typeof value === "number") return Number.isSafeInteger(value) ? value : undefined;
  if (typeof value === "bigint") return Number.isSafeInteger(Number(value)) ? Number(value) : undefined;
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? undefined : value.getTime();
  if (typeof value !== "string" || !rfc3339.test(value)) return undefined;
  if (!isCalendarDay(value.slice(0, 10))) return undefined;
  const ms = Date.parse(value.toUpperCase().replace(" ", "T"));
  return Number.isNaN(ms) ? undefined : ms;
}

/** Date.parse rolls 30 February over into March; here it is no day. */
export function isCalendarDay(day: string): boolean {
  const ms = Date.parse(`${day}T00:00:00Z`);
  return !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(day);
}
