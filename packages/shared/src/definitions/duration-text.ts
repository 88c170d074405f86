const units = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1_000],
  ["ms", 1],
] as const;

/** Exactly, in the units of the definitions: 5 400 000 → `1h 30m`, 1 400 → `1s 400ms`. */
export function durationText(ms: number): string {
  let rest = ms;
  const parts = units.flatMap(([unit, size]) => {
    const n = Math.floor(rest / size);
    rest -= n * size;
    return n === 0 ? [] : [`${n}${unit}`];
  });
  return parts.length === 0 ? "0ms" : parts.join(" ");
}

/** The shortest single duration that a definition accepts and that says the same: 5 400 000 → `90m`. */
export function declaredDuration(ms: number): string {
  const [unit, size] = units.find(([, size]) => ms % size === 0) ?? units[4];
  return `${ms / size}${unit}`;
}
