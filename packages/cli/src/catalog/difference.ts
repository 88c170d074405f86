import { canonicalJson } from "@tributary/shared/definitions/canonical-json";

/** One place where two definitions differ. A member of a named list is `list.member`; undefined = it is not there. */
export interface Difference {
  readonly field: string;
  readonly before?: unknown;
  readonly after?: unknown;
  /** Stored values or readers do not survive it. */
  readonly breaking: boolean;
}

/** True: this field may become that without harm. For members of a named list it sees the member, undefined where absent. */
export type Judge = (before: unknown, after: unknown) => boolean;
/** By field. What has no rule breaks: nobody has thought it through. */
export type Rules = Readonly<Record<string, Judge>>;

export const harmless: Judge = () => true;
export const breaks: Judge = () => false;

type Members = Readonly<Record<string, unknown>>;
interface Named extends Members {
  readonly name: string;
}

/** Everything in which two definitions differ, each judged by its rule; `except` names fields that others look at. */
export function differencesOf(
  before: object,
  after: object,
  { rules, except = [] }: { readonly rules: Rules; readonly except?: readonly string[] },
): Difference[] {
  const [old, now] = [before as Members, after as Members];
  const fields = [...new Set([...Object.keys(old), ...Object.keys(now)])].filter((field) => !except.includes(field));
  return fields.flatMap((field) => compareField(field, old[field], now[field], rules));
}

function compareField(field: string, before: unknown, after: unknown, rules: Rules): Difference[] {
  if (isSame(before, after)) return [];
  if (!isNamedList(before ?? after) || !isNamedList(after ?? before)) {
    return [judged(rules, field, { field, before, after })];
  }
  return compareLists(field, (before ?? []) as readonly Named[], { after: (after ?? []) as readonly Named[], rules });
}

/** A list that is not there is an empty one. */
function compareLists(
  field: string,
  before: readonly Named[],
  { after, rules }: { readonly after: readonly Named[]; readonly rules: Rules },
): Difference[] {
  const names = [...new Set([...before, ...after].map(({ name }) => name))];
  const members = names.flatMap((name) => {
    const [old, now] = [memberOf(before, name), memberOf(after, name)];
    return isSame(old, now) ? [] : [judged(rules, field, { field: `${field}.${name}`, before: old, after: now })];
  });
  const found = [...members, ...compareOrder(field, before, after, rules)];
  return found.length > 0 ? found : [judged(rules, field, { field, before, after })];
}

/** Members on both sides may stand in another order; whether that matters is a rule of its own, `<field> order`. */
function compareOrder(field: string, before: readonly Named[], after: readonly Named[], rules: Rules): Difference[] {
  const order = (list: readonly Named[], other: readonly Named[]) =>
    list.map(({ name }) => name).filter((name) => other.some((one) => one.name === name));
  const [old, now] = [order(before, after), order(after, before)];
  const place = `${field} order`;
  return isSame(old, now) ? [] : [judged(rules, place, { field: place, before: old, after: now })];
}

function judged(rules: Rules, field: string, difference: Omit<Difference, "breaking">): Difference {
  const judge = Object.hasOwn(rules, field) ? rules[field] : undefined;
  return { ...difference, breaking: judge === undefined || !judge(difference.before, difference.after) };
}

/** A member without its name, which the field's path says already. */
function memberOf(list: readonly Named[], name: string): Members | undefined {
  const found = list.find((one) => one.name === name);
  if (found === undefined) return undefined;
  const { name: _name, ...rest } = found;
  return rest;
}

function isNamedList(value: unknown): value is readonly Named[] {
  const isNamed = (item: unknown) => typeof item === "object" && item !== null && "name" in item;
  return Array.isArray(value) && value.every(isNamed);
}

function isSame(before: unknown, after: unknown): boolean {
  if (before === undefined || after === undefined) return before === after;
  return canonicalJson(before) === canonicalJson(after);
}
