import type { Catalog, Entity, StreamView } from "@tributary/shared/contracts/catalog";
import { TributaryError } from "@tributary/shared/contracts/errors";
import type { EventSource } from "@tributary/shared/contracts/source";
import { columnTypes, compileDerived } from "@tributary/shared/definitions/derived-column";
import { compileExpression, type Predicate } from "@tributary/shared/definitions/expression";
import type { TypedEvent } from "./event-intake.ts";

/** What route does with the events of one source, decided once for a catalog version. */
export interface RoutingPlan {
  readonly catalogVersion: number;
  readonly partitions: number;
  readonly source: EventSource;
  /** Entities that views of this source describe: one series per partition each. */
  readonly entities: readonly EntityPlan[];
}

export interface EntityPlan {
  readonly entity: Entity;
  readonly views: readonly ViewPlan[];
  /** What any of the views aggregates. */
  readonly columns: readonly Column[];
}

/** Of a keyed item. A derived column belongs to its view: another may mean something else by its name. */
interface Column {
  readonly name: string;
  readonly field: string;
  /** Index into the views of who derives it; undefined: a field of the source. */
  readonly view: number | undefined;
}

export type Fields = TypedEvent["fields"];

export interface ViewPlan {
  readonly name: string;
  readonly version: number;
  readonly keys: Readonly<Record<string, string>>;
  /** The event's fields with the view's derived columns. */
  readonly derive: (fields: Fields) => Fields;
  readonly accepts: Predicate;
  /** Fields and columns that the filter names. */
  readonly filtered: readonly string[];
}

/** @throws TributaryError UNKNOWN_SOURCE, INVALID_DEFINITION */
export function routingPlan(catalog: Catalog, sourceName: string): RoutingPlan {
  const source = catalog.sources[sourceName];
  if (source?.kind !== "event") throw new TributaryError("UNKNOWN_SOURCE", `there is no event source "${sourceName}"`);
  const views = streamViews(catalog).filter((view) => view.source === sourceName);
  const entities = [...new Set(views.map((view) => view.entity))].map((name) =>
    entityPlan(
      catalog,
      source,
      views.filter((view) => view.entity === name),
    ),
  );
  return { catalogVersion: catalog.version, partitions: catalog.partitions, source, entities };
}

export function streamViews(catalog: Catalog): StreamView[] {
  return Object.values(catalog.views).filter((view) => view.lane === "stream");
}

/** Event sources that feed a stream view. */
export function routedSources(catalog: Catalog): EventSource[] {
  const names = new Set(streamViews(catalog).map((view) => view.source));
  return Object.values(catalog.sources)
    .filter((source) => source.kind === "event")
    .filter(({ name }) => names.has(name));
}

function entityPlan(catalog: Catalog, source: EventSource, views: readonly StreamView[]): EntityPlan {
  const name = views[0]?.entity ?? "";
  const entity = catalog.entities[name];
  if (!entity) throw new TributaryError("INVALID_DEFINITION", `entity "${name}" is not in the catalog`);
  return {
    entity,
    views: views.map((view) => viewPlan(source, view)),
    columns: columnsOf(views),
  };
}

function viewPlan(source: EventSource, view: StreamView): ViewPlan {
  const { name, version, keys, derive = [], where = "" } = view;
  const fields = columnTypes(source.fields);
  return {
    name,
    version,
    keys,
    derive: derive.length === 0 ? (given) => given : compileDerived(derive, fields, (why) => refuse(view, why)),
    accepts: filterOf(view, { ...fields, ...columnTypes(derive) }),
    filtered: [...source.fields, ...derive].map((column) => column.name).filter((column) => names(where, column)),
  };
}

function columnsOf(views: readonly StreamView[]): Column[] {
  const columns = views.flatMap((view, index) =>
    view.aggregations.flatMap(({ field }): Column[] => {
      if (field === undefined) return [];
      return [{ name: columnName(view, field), field, view: isDerived(view, field) ? index : undefined }];
    }),
  );
  return [...new Map(columns.map((column) => [column.name, column])).values()];
}

/** What a keyed item calls a field of the source, or a column that the view derives. */
export function columnName(view: StreamView, field: string): string {
  return isDerived(view, field) ? `${view.name}.${field}` : field;
}

function isDerived({ derive = [] }: StreamView, field: string): boolean {
  return derive.some(({ name }) => name === field);
}

function filterOf(view: StreamView, types: ReturnType<typeof columnTypes>): Predicate {
  if (view.where === undefined) return () => true;
  return compileExpression(view.where, types, (why) => refuse(view, `where: ${why}`)) ?? (() => false);
}

function refuse({ name }: StreamView, why: string): never {
  throw new TributaryError("INVALID_DEFINITION", `view "${name}": ${why}`);
}

function names(expression: string, field: string): boolean {
  return new RegExp(`\\b${field}\\b`).test(expression);
}
