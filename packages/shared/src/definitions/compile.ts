import { type CatalogBody, catalogBodySchema, defaultPartitions } from "../contracts/catalog.ts";
import { TributaryError } from "../contracts/errors.ts";
import type { EventSource, Field, TableSource } from "../contracts/source.ts";
import { compileEventOptions } from "./compile-event-options.ts";
import { compileFeatureService } from "./compile-feature-service.ts";
import { compileOnDemand } from "./compile-on-demand.ts";
import { compileTable } from "./compile-table.ts";
import { compileView } from "./compile-view.ts";
import { durationMs } from "./duration.ts";
import type { EntityDefinition } from "./entity.ts";
import type { FeatureServiceDefinition } from "./feature-service.ts";
import type { OnDemandDefinition } from "./on-demand.ts";
import { Problems, whereIs } from "./problems.ts";
import type { EventSourceDefinition, FieldMap, TableSourceDefinition } from "./source.ts";
import type { ViewDefinition } from "./view-definition.ts";

type Definition =
  | EntityDefinition
  | EventSourceDefinition
  | TableSourceDefinition
  | ViewDefinition
  | OnDemandDefinition
  | FeatureServiceDefinition;

/**
 * The catalog's body from everything a definitions module exports; what is not a definition is passed over.
 * Entities and sources that only views name are taken along.
 * @throws TributaryError INVALID_DEFINITION listing every problem at once
 */
export function compileDefinitions(exported: Iterable<unknown>, options: { partitions?: number } = {}): CatalogBody {
  const problems = new Problems();
  const found = collect(exported, problems);
  const views = Object.fromEntries(found.views.map((view) => [view.name, compileView(view, problems)]));
  const onDemand = found.onDemand.map((feature) => [feature.name, compileOnDemand(feature, problems)] as const);
  const body = {
    format: 1,
    partitions: options.partitions ?? defaultPartitions,
    entities: Object.fromEntries(found.entities.map((entity) => [entity.name, compileEntity(entity)])),
    sources: Object.fromEntries(found.sources.map((source) => [source.name, compileSource(source, problems)])),
    ...(onDemand.length > 0 && { onDemandFeatures: Object.fromEntries(onDemand) }),
    views,
    featureServices: Object.fromEntries(
      found.services.map((service) => [service.name, compileFeatureService(service, views, problems)]),
    ),
  };
  problems.throwIfAny();
  return checked(body);
}

function checked(body: unknown): CatalogBody {
  const parsed = catalogBodySchema.safeParse(body);
  if (parsed.success) return parsed.data;
  const lines = parsed.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`);
  throw new TributaryError("INVALID_DEFINITION", lines.join("\n"));
}

function collect(exported: Iterable<unknown>, problems: Problems) {
  const entities = new Map<string, EntityDefinition>();
  const sources = new Map<string, EventSourceDefinition | TableSourceDefinition>();
  const views = new Map<string, ViewDefinition>();
  const onDemand = new Map<string, OnDemandDefinition>();
  const services = new Map<string, FeatureServiceDefinition>();
  const take = (definition: Definition): void => {
    switch (definition.kind) {
      case "entity":
        put(entities, definition, problems);
        break;
      case "eventSource":
      case "tableSource":
        put(sources, definition, problems);
        break;
      case "view":
        take(definition.entity);
        for (const source of sourcesOf(definition)) take(source);
        put(views, definition, problems);
        break;
      case "onDemandFeature":
        put(onDemand, definition, problems);
        break;
      case "featureService":
        for (const use of definition.uses) for (const used of usedBy(use)) take(used);
        put(services, definition, problems);
        break;
      default:
        definition satisfies never;
    }
  };
  for (const value of exported) if (isDefinition(value)) take(value);
  return {
    entities: [...entities.values()],
    sources: [...sources.values()],
    views: [...views.values()],
    onDemand: [...onDemand.values()],
    services: [...services.values()],
  };
}

function usedBy(use: FeatureServiceDefinition["uses"][number]): readonly (ViewDefinition | OnDemandDefinition)[] {
  return "use" in use ? [use.use.view(), ...use.use.over] : [use.onDemand.definition()];
}

function put<T extends { readonly kind: string; readonly name: string }>(
  into: Map<string, T>,
  definition: T,
  problems: Problems,
): void {
  const other = into.get(definition.name);
  if (other !== undefined && other !== definition)
    problems.add(definition, `is defined twice${also(other)}; rename one`);
  into.set(definition.name, definition);
}

function also(other: object): string {
  const where = whereIs(other);
  return where === undefined ? "" : `, first at ${where}`;
}

function isDefinition(value: unknown): value is Definition {
  const kinds = ["entity", "eventSource", "tableSource", "view", "onDemandFeature", "featureService"];
  return (
    typeof value === "object" &&
    value !== null &&
    "kind" in value &&
    kinds.includes(String(value.kind)) &&
    "name" in value
  );
}

function sourcesOf(view: ViewDefinition): readonly (EventSourceDefinition | TableSourceDefinition)[] {
  if (!("from" in view.options)) return [];
  const from = view.options.from;
  return Array.isArray(from) ? from : [from as EventSourceDefinition];
}

function compileEntity(entity: EntityDefinition) {
  const keys = Object.entries(entity.key).map(([name, { type }]) => ({ name, type }));
  return { name: entity.name, keys, ...(entity.description !== undefined && { description: entity.description }) };
}

function compileSource(
  source: EventSourceDefinition | TableSourceDefinition,
  problems: Problems,
): EventSource | TableSource {
  if (source.kind === "tableSource") return compileTable(source, problems);
  const eventTime = source.fields[source.eventTime];
  if (eventTime?.type !== "timestamp")
    problems.add(source, `eventTime "${source.eventTime}" must name a timestamp field`);
  const disorderMs =
    durationMs(source.disorder) ?? problems.add(source, `disorder "${source.disorder}" is not a duration such as "4h"`);
  return {
    kind: "event",
    name: source.name,
    version: source.version ?? 1,
    fields: compileFields(source.fields),
    eventTime: source.eventTime,
    disorderMs,
    shards: source.shards ?? 1,
    ...compileEventOptions(source, problems),
  };
}

function compileFields(fields: FieldMap): Field[] {
  return Object.entries(fields).map(([name, { type, options }]) => ({
    name,
    type,
    nullable: options.nullable ?? false,
  }));
}
