import { TributaryError } from "@tributary/shared/contracts/errors";

/** `NAME=VALUE` → its two parts. @throws TributaryError BAD_CONFIG */
export function splitPair(text: string): readonly [name: string, value: string] {
  const at = text.indexOf("=");
  if (at <= 0) throw new TributaryError("BAD_CONFIG", `"${text}" is not NAME=VALUE`);
  return [text.slice(0, at), text.slice(at + 1)];
}

/** `a=1 b=2 a=3 b=4` → two groups: a name that comes again begins the next one. */
export function splitGroups(texts: readonly string[]): Record<string, string>[] {
  const groups: Record<string, string>[] = [];
  for (const [name, value] of texts.map(splitPair)) {
    const last = groups.at(-1);
    if (last === undefined || Object.hasOwn(last, name)) groups.push({ [name]: value });
    else last[name] = value;
  }
  return groups;
}

/** JSON where it is JSON, else text: `0.5`, `true`, `null`, `[1,2]`, `storm`, `"123"`. A whole number keeps all its digits. */
export function jsonOrText(value: string): unknown {
  try {
    const parsed: unknown = JSON.parse(value);
    return /^-?\d+$/.test(value) && !Number.isSafeInteger(parsed) ? value : parsed;
  } catch {
    return value;
  }
}

/** @throws TributaryError MALFORMED naming what is not JSON */
export function parseJson(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new TributaryError("MALFORMED", `${what} is not JSON`, { cause: error });
  }
}
