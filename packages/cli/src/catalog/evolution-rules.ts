import type { FeatureService, RequestField } from "@tributary/shared/contracts/catalog";
import type { Feature } from "@tributary/shared/contracts/feature";
import type { Field } from "@tributary/shared/contracts/source";
import { canonicalJson } from "@tributary/shared/definitions/canonical-json";
import { breaks, harmless, type Rules } from "./difference.ts";

/**
 * What may become what without a new version. Stored cells are read by their view's newest definition, window state by the
 * layout it was written for: so a change of what they mean breaks, and a change of how they are described, judged or
 * computed next time does not. A test walks the catalog's schema: every member has a rule here. One without would break.
 */
const labels = { description: harmless, owner: harmless, tags: harmless } as const;

export const featureRules: Rules = {
  ...labels,
  type: isWider,
  of: breaks,
  dimension: breaks,
  min: isNotHigher,
  max: isNotLower,
  minLength: isNotHigher,
  maxLength: isNotLower,
  enum: (before, after) => after === undefined || (isList(before) && isList(after) && includesAll(after, before)),
  // Nulls may be stored.
  nullable: (_before, after) => after !== false,
  // Another type in the reader's program.
  as: breaks,
  // Reads that never gave null would begin to.
  default: (_before, after) => after !== undefined,
  tolerance: harmless,
  pii: harmless,
};

/** Batch computes every value anew on each run: its SQL, sources and times may change. Window state has its own shape. */
export const viewRules: Rules = {
  ...labels,
  lane: breaks,
  entity: breaks,
  // Elsewhere in Redis: what is stored would not be found.
  ownRecord: breaks,
  freshnessMs: harmless,
  ttlMs: harmless,
  laneRule: harmless,
  sql: harmless,
  aggregate: harmless,
  sources: harmless,
  everyMs: harmless,
  deleteShareMax: harmless,
  producers: harmless,
  source: breaks,
  keys: breaks,
  derive: breaks,
  "derive order": breaks,
  where: breaks,
  windows: breaks,
  "windows order": breaks,
  hopMs: breaks,
  aggregations: breaks,
  "aggregations order": breaks,
};

export const entityRules: Rules = { ...labels, keys: breaks, "keys order": breaks };

/** Events on their way are checked against the newest definition. */
export const eventSourceRules: Rules = {
  ...labels,
  kind: breaks,
  version: breaks,
  fields: isSafeField,
  "fields order": harmless,
  eventTime: breaks,
  disorderMs: harmless,
  shards: breaks,
  // Which events are one would be judged by another field than before.
  id: breaks,
  dedupeMs: harmless,
  allowedLatenessMs: harmless,
};

/** Files and queries are read anew on each run. */
export const tableSourceRules: Rules = {
  ...labels,
  kind: breaks,
  format: harmless,
  files: harmless,
  connection: harmless,
  query: harmless,
  fields: harmless,
  "fields order": harmless,
  unique: harmless,
};

/** Computed when it is read: nothing is stored. What it asks of a reader stands in the feature services' request fields. */
export const onDemandFeatureRules: Rules = {
  ...labels,
  type: isWider,
  of: breaks,
  inputs: harmless,
  "inputs order": harmless,
  expression: harmless,
};

/** A reader holds on to names, keys and what they stand for. */
export const featureServiceRules: Rules = {
  ...labels,
  columns: isSafeColumn,
  "columns order": harmless,
  requestKeys: breaks,
  "requestKeys order": harmless,
  onDemand: isSafeOnDemand,
  "onDemand order": harmless,
  requestFields: isSafeRequestField,
  "requestFields order": harmless,
};

const wider = ["int32 → int64", "float32 → float64"];

function isWider(before: unknown, after: unknown): boolean {
  return wider.includes(`${before} → ${after}`);
}

function isNotHigher(before: unknown, after: unknown): boolean {
  return after === undefined || (isNumber(before) && isNumber(after) && after <= before);
}

function isNotLower(before: unknown, after: unknown): boolean {
  return after === undefined || (isNumber(before) && isNumber(after) && after >= before);
}

/** A new field must be nullable, because producers do not send it yet; a field that is gone may be what events still say. */
function isSafeField(before: unknown, after: unknown): boolean {
  const [old, now] = [before as Field | undefined, after as Field | undefined];
  if (now === undefined) return false;
  if (old === undefined) return now.nullable;
  return isSameOrWider(old, now) && (now.nullable || !old.nullable);
}

/** As a field; a reader's rows with one that is gone would be refused. */
function isSafeRequestField(before: unknown, after: unknown): boolean {
  const [old, now] = [before as RequestField | undefined, after as RequestField | undefined];
  if (now === undefined) return false;
  if (old === undefined) return now.nullable;
  return isSameOrWider(old, now) && (now.nullable || !old.nullable);
}

interface Typed {
  readonly type: string;
  readonly of?: string | undefined;
  readonly as?: string | undefined;
  readonly dimension?: number | undefined;
}

function isSameOrWider(before: Typed, after: Typed): boolean {
  if (before.of !== after.of || before.as !== after.as || before.dimension !== after.dimension) return false;
  return before.type === after.type || isWider(before.type, after.type);
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

type OnDemandColumn = NonNullable<FeatureService["onDemand"]>[number];

/** Where its inputs come from is part of how it is computed. */
function isSafeOnDemand(before: unknown, after: unknown): boolean {
  const [old, now] = [before as OnDemandColumn | undefined, after as OnDemandColumn | undefined];
  return old === undefined || (now !== undefined && old.feature === now.feature);
}

const isNumber = (value: unknown): value is number => typeof value === "number";
const isList = (value: unknown): value is NonNullable<Feature["enum"]> => Array.isArray(value);
const includesAll = (list: readonly string[], wanted: readonly string[]) => wanted.every((item) => list.includes(item));
