import { type CatalogBody, catalogBodySchema, defaultPartitions } from "../contracts/catalog.ts";
import type { EventSource, TableSource } from "../contracts/source.ts";
import { addIssue } from "./catalog-problems.ts";
import { type Collected, collect } from "./collect.ts";
import { compileEntity } from "./compile-entity.ts";
import { compileEventSource } from "./compile-event-source.ts";
import { compileFeatureService } from "./compile-feature-service.ts";
import { compileOnDemand } from "./compile-on-demand.ts";
import { compileTable } from "./compile-table.ts";
import { compileView } from "./compile-view.ts";
import { Problems } from "./problems.ts";
import type { EventSourceDefinition, TableSourceDefinition } from "./source.ts";

interface CompileOptions {
  readonly partitions?: number;
  /** Default true; false where only types are asked for, as in an application that was deployed without its SQL files. */
  readonly needsFiles?: boolean;
}

/**
 * The catalog's body from everything a definitions module exports, also in lists and plain objects; what is not a
 * definition is passed over. What only views and feature services name is taken along.
 * @throws DefinitionError INVALID_DEFINITION listing every problem at once
 */
export function compileDefinitions(exported: Iterable<unknown>, options: CompileOptions = {}): CatalogBody {
  const problems = new Problems(options.needsFiles);
  const found = collect(exported, problems);
  const body = compileBody(found, options.partitions ?? defaultPartitions, problems);
  problems.throwIfAny();
  const parsed = catalogBodySchema.safeParse(body);
  if (parsed.success) return parsed.data;
  const definitions = Object.values(found).flat();
  for (const issue of parsed.error.issues) addIssue(issue, { body, definitions }, problems);
  problems.throwIfAny();
  throw parsed.error;
}

function compileBody(found: Collected, partitions: number, problems: Problems): CatalogBody {
  const views = byName(found.views, (view) => compileView(view, problems));
  return {
    format: 1,
    partitions,
    entities: byName(found.entities, (entity) => compileEntity(entity, problems)),
    sources: byName(found.sources, (source) => compileSource(source, problems)),
    ...(found.onDemand.length > 0 && {
      onDemandFeatures: byName(found.onDemand, (feature) => compileOnDemand(feature, problems)),
    }),
    views,
    featureServices: byName(found.services, (service) => compileFeatureService(service, views, problems)),
  };
}

function byName<D extends { readonly name: string }, T>(
  definitions: readonly D[],
  compile: (definition: D) => T,
): Record<string, T> {
  return Object.fromEntries(definitions.map((definition) => [definition.name, compile(definition)]));
}

function compileSource(
  source: EventSourceDefinition | TableSourceDefinition,
  problems: Problems,
): EventSource | TableSource {
  return source.kind === "tableSource" ? compileTable(source, problems) : compileEventSource(source, problems);
}
