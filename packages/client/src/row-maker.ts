/**
 * Rows out of columns. Storing 5,000 values by name takes ten times as long as building the same rows with an object literal,
 * so one is compiled for each list of names, where the program allows that (`--disallow-code-generation-from-strings` does
 * not) and the names are plain. Nothing but names gets into what is compiled.
 */
export type MakeRow = (columns: readonly (readonly unknown[])[], row: number) => Record<string, unknown>;

const known = new Map<string, MakeRow>();
/** Feature services that one program reads; above it the oldest is forgotten. */
const knownMax = 100;
const plainName = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** Makes one row of the columns' values at a place; null where a column has none. */
export function rowMaker(names: readonly string[]): MakeRow {
  const id = `${names.length} ${names.join("\0")}`;
  const found = known.get(id);
  if (found !== undefined) return found;
  const made = names.every(isPlain) ? compileRow(names) : storeByName(names);
  const [oldest] = known.keys();
  if (oldest !== undefined && known.size >= knownMax) known.delete(oldest);
  known.set(id, made);
  return made;
}

/** In a literal `__proto__` is no name like others. */
function isPlain(name: string): boolean {
  return plainName.test(name) && name !== "__proto__";
}

function compileRow(names: readonly string[]): MakeRow {
  const members = names.map((name, place) => `${name}: columns[${place}][row] ?? null`);
  try {
    return new Function("columns", "row", `return { ${members.join(", ")} };`) as MakeRow;
  } catch {
    return storeByName(names);
  }
}

/** Every row begins as a copy of one object that has all the names, so that all have one hidden class. */
export function storeByName(names: readonly string[]): MakeRow {
  const empty = Object.fromEntries(names.map((name) => [name, null]));
  return (columns, row) => {
    const made: Record<string, unknown> = { ...empty };
    for (const [place, name] of names.entries()) made[name] = columns[place]?.[row] ?? null;
    return made;
  };
}
