import { toFeatureValue } from "@tributary/shared/codec/value-codec";
import type { Catalog, Entity, FeatureService, Lane, RequestField, View } from "@tributary/shared/contracts/catalog";
import type { FeatureValue } from "@tributary/shared/contracts/chunk";
import { TributaryError } from "@tributary/shared/contracts/errors";
import type { Feature } from "@tributary/shared/contracts/feature";
import { type OnDemandColumn, planOnDemand } from "@tributary/shared/merge/on-demand-column";
import { planRecord, type RecordPlan } from "./record-read.ts";
import type { RecordedView } from "./store-keys.ts";

/**
 * How to answer a feature service, compiled once per catalog version: which records to fetch for a row of request keys (one for
 * each distinct entity and mapping of its join keys, and one more for each view with a record of its own), and where each
 * column's cell stands in them.
 */
export interface ReadPlan {
  readonly featureService: string;
  readonly catalogVersion: number;
  readonly partitions: number;
  readonly requestKeys: readonly string[];
  readonly requestFields: readonly RequestField[];
  readonly fetches: readonly Fetch[];
  readonly columns: readonly PlannedColumn[];
  /** Compiled, each behind those that it needs. */
  readonly onDemand: readonly OnDemandColumn[];
}

/** One record for each row of the request. */
export interface Fetch {
  readonly entity: Entity;
  /** A view of the record: says which of the entity's it is. */
  readonly of: RecordedView;
  /** Pairs of join key and request key. */
  readonly mapping: readonly (readonly [joinKey: string, requestKey: string])[];
  readonly record: RecordPlan;
}

export interface PlannedColumn extends PlannedCell {
  readonly name: string;
  /** What stands for this cell while it lives (L1), uppermost first; mostly nothing. */
  readonly over: readonly PlannedCell[];
}

/** Where a view's cell stands, and how it is read. */
export interface PlannedCell {
  /** Index into `fetches`, and the place of its cell in the record that `readRecords` gives. */
  readonly fetch: number;
  readonly place: number;
  readonly view: string;
  readonly viewVersion: number;
  readonly lane: Lane;
  readonly freshnessMs: number;
  readonly ttlMs: number | null;
  /** What stands for a value that is null or missing. */
  readonly fallback: FeatureValue;
}

/** @throws TributaryError UNKNOWN_SERVICE, INVALID_DEFINITION */
export function compileReadPlan(catalog: Catalog, name: string): ReadPlan {
  const featureService = Object.hasOwn(catalog.featureServices, name) ? catalog.featureServices[name] : undefined;
  if (featureService === undefined) {
    throw new TributaryError(
      "UNKNOWN_SERVICE",
      `there is no feature service "${name}" in catalog version ${catalog.version}`,
    );
  }
  const drafts = new Map<string, FetchDraft>();
  const columns = featureService.columns.map((column) => planColumn(catalog, drafts, column));
  return {
    featureService: name,
    catalogVersion: catalog.version,
    partitions: catalog.partitions,
    requestKeys: featureService.requestKeys.map((key) => key.name),
    requestFields: featureService.requestFields ?? [],
    fetches: [...drafts.values()].map(finishFetch),
    columns,
    onDemand: planOnDemand(catalog, featureService),
  };
}

interface FetchDraft {
  readonly index: number;
  readonly entity: Entity;
  readonly of: RecordedView;
  readonly keys: Readonly<Record<string, string>>;
  readonly views: Map<string, { readonly view: View; readonly places: Map<string, number> }>;
  places: number;
}

function planColumn(
  catalog: Catalog,
  drafts: Map<string, FetchDraft>,
  column: FeatureService["columns"][number],
): PlannedColumn {
  const cell = (viewName: string, feature: string) =>
    planCell(catalog, drafts, { view: viewName, feature, keys: column.keys });
  const lowest = cell(column.view, column.feature);
  const over =
    column.over?.map(({ view, feature }) => {
      checkLayer(catalog, column.view, view);
      // One default for all: that of the view which the feature service names.
      return { ...cell(view, feature), fallback: lowest.fallback };
    }) ?? [];
  return { name: column.name, ...lowest, over };
}

/** Layers may stand in different records, but of one entity: the column's keys are theirs as well. */
function checkLayer({ views }: Catalog, lower: string, upper: string): void {
  if (memberOf(views, upper, "view").entity === memberOf(views, lower, "view").entity) return;
  throw inconsistent(`view "${upper}" is over "${lower}" but of another entity`);
}

function planCell(
  catalog: Catalog,
  drafts: Map<string, FetchDraft>,
  { view: viewName, feature, keys }: Omit<FeatureService["columns"][number], "name" | "over">,
): PlannedCell {
  const view = memberOf(catalog.views, viewName, "view");
  const entity = memberOf(catalog.entities, view.entity, "entity");
  const draft = draftFor(drafts, { entity, of: view }, keys);
  return {
    fetch: draft.index,
    place: placeOf(draft, view, feature),
    view: view.name,
    viewVersion: view.version,
    lane: view.lane,
    freshnessMs: view.freshnessMs,
    ttlMs: view.ttlMs,
    fallback: fallbackOf(view, feature),
  };
}

function draftFor(
  drafts: Map<string, FetchDraft>,
  { entity, of }: Pick<Fetch, "entity" | "of">,
  keys: Readonly<Record<string, string>>,
): FetchDraft {
  const own = of.ownRecord === true ? of.name : null;
  const id = JSON.stringify([entity.name, own, entity.keys.map((key) => keys[key.name])]);
  const draft = drafts.get(id) ?? { index: drafts.size, entity, of, keys, views: new Map(), places: 0 };
  drafts.set(id, draft);
  return draft;
}

/** Two columns of one feature share a place. */
function placeOf(draft: FetchDraft, view: View, feature: string): number {
  const entry = draft.views.get(view.name) ?? { view, places: new Map<string, number>() };
  draft.views.set(view.name, entry);
  const place = entry.places.get(feature) ?? draft.places++;
  entry.places.set(feature, place);
  return place;
}

function fallbackOf(view: View, name: string): FeatureValue {
  const feature: Feature | undefined = view.features.find((candidate) => candidate.name === name);
  if (feature === undefined) throw inconsistent(`view "${view.name}" has no feature "${name}"`);
  return feature.default === undefined ? null : toFeatureValue(feature, feature.default);
}

function finishFetch({ entity, of, keys, views }: FetchDraft): Fetch {
  const mapping = entity.keys.map(({ name }) => {
    const requestKey = keys[name];
    if (requestKey === undefined) throw inconsistent(`join key "${name}" of "${entity.name}" is not mapped`);
    return [name, requestKey] as const;
  });
  const sections = [...views.values()].map(({ view, places }) => ({
    view: view.name,
    viewVersion: view.version,
    places,
  }));
  return { entity, of, mapping, record: planRecord(sections) };
}

function memberOf<T>(members: Readonly<Record<string, T>>, name: string, kind: string): T {
  const member = Object.hasOwn(members, name) ? members[name] : undefined;
  if (member === undefined) throw inconsistent(`a feature service names the ${kind} "${name}", which does not exist`);
  return member;
}

function inconsistent(why: string): TributaryError {
  return new TributaryError("INVALID_DEFINITION", why);
}
