import type { FeatureService } from "@tributary/shared/contracts/catalog";
import type { Feature } from "@tributary/shared/contracts/feature";
import type { Field } from "@tributary/shared/contracts/source";
import { canonicalJson } from "@tributary/shared/definitions/canonical-json";
import { harmless, type Rules } from "./difference.ts";

/**
 * What may become what without a new version. Stored cells are read by their view's newest definition, window state by the
 * layout it was written for: so a change of what they mean breaks, and a change of how they are described, judged or
 * computed next time does not. A field that is not listed breaks.
 */
export const featureRules: Rules = {
  type: isWider,
  min: (before, after) => after === undefined || (isNumber(before) && isNumber(after) && after <= before),
  max: (before, after) => after === undefined || (isNumber(before) && isNumber(after) && after >= before),
  enum: (before, after) => after === undefined || (isList(before) && isList(after) && includesAll(after, before)),
  // Reads that never gave null would begin to.
  default: (_before, after) => after !== undefined,
  tolerance: harmless,
  description: harmless,
  owner: harmless,
  tags: harmless,
  pii: harmless,
};

/** Batch computes every value anew on each run: its SQL, sources and times may change. */
export const viewRules: Rules = {
  freshnessMs: harmless,
  ttlMs: harmless,
  description: harmless,
  owner: harmless,
  tags: harmless,
  sql: harmless,
  sources: harmless,
  everyMs: harmless,
  deleteShareMax: harmless,
  producers: harmless,
};

export const entityRules: Rules = { description: harmless, owner: harmless, tags: harmless };

/** Events on their way are checked against the newest definition. */
export const eventSourceRules: Rules = {
  disorderMs: harmless,
  description: harmless,
  owner: harmless,
  tags: harmless,
  fields: isSafeField,
  "fields order": harmless,
};

/** Files are read anew on each run. */
export const tableSourceRules: Rules = {
  format: harmless,
  files: harmless,
  fields: harmless,
  "fields order": harmless,
  unique: harmless,
  description: harmless,
  owner: harmless,
  tags: harmless,
};

/** A reader holds on to names, keys and what they stand for. */
export const featureServiceRules: Rules = {
  columns: isSafeColumn,
  "columns order": harmless,
  "requestKeys order": harmless,
  description: harmless,
  owner: harmless,
  tags: harmless,
};

const wider = ["int32 → int64", "float32 → float64"];

function isWider(before: unknown, after: unknown): boolean {
  return wider.includes(`${before} → ${after}`);
}

/** A new field must be nullable, because producers do not send it yet; a field that is gone may be what events still say. */
function isSafeField(before: unknown, after: unknown): boolean {
  const [old, now] = [before as Field | undefined, after as Field | undefined];
  if (now === undefined) return false;
  if (old === undefined) return now.nullable;
  return (old.type === now.type || isWider(old.type, now.type)) && (now.nullable || !old.nullable);
}

type Column = FeatureService["columns"][number];

/** Layers over a column change where a value comes from, not what it is. */
function isSafeColumn(before: unknown, after: unknown): boolean {
  const [old, now] = [before as Column | undefined, after as Column | undefined];
  if (old === undefined) return true;
  if (now === undefined) return false;
  const meaning = ({ view, feature, keys }: Column) => canonicalJson({ view, feature, keys });
  return meaning(old) === meaning(now);
}

const isNumber = (value: unknown): value is number => typeof value === "number";
const isList = (value: unknown): value is NonNullable<Feature["enum"]> => Array.isArray(value);
const includesAll = (list: readonly string[], wanted: readonly string[]) => wanted.every((item) => list.includes(item));
