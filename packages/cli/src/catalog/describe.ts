import type { Catalog, Entity, FeatureService, View } from "@tributary/shared/contracts/catalog";
import type { Feature } from "@tributary/shared/contracts/feature";
import type { EventSource, TableSource } from "@tributary/shared/contracts/source";
import { alignColumns, formatMs } from "../table.ts";
import { onDemandRows, requestFieldsText } from "./describe-on-demand.ts";

/** Definitions as a person reads them. What is not shown here stands in `--json`. */
export function typeOf({ type, of, dimension }: Pick<Feature, "type" | "of" | "dimension">): string {
  if (dimension !== undefined) return `${type}(${dimension})`;
  return of === undefined ? type : `${type}<${of}>`;
}

export function checksOf(feature: Feature): string {
  const { min, max, minLength, maxLength, enum: allowed, tolerance, default: fallback } = feature;
  return [
    ...(min === undefined ? [] : [`≥ ${min}`]),
    ...(max === undefined ? [] : [`≤ ${max}`]),
    ...(minLength === undefined ? [] : [`length ≥ ${minLength}`]),
    ...(maxLength === undefined ? [] : [`length ≤ ${maxLength}`]),
    ...(feature.nullable === false ? ["not null"] : []),
    ...(allowed === undefined ? [] : [`one of ${allowed.join(", ")}`]),
    ...(tolerance === undefined ? [] : [`tolerance ${tolerance}`]),
    ...(fallback === undefined ? [] : [`default ${JSON.stringify(fallback)}`]),
    ...(feature.pii ? ["personal data"] : []),
  ].join("; ");
}

export function describeView(view: View, catalog: Catalog): string {
  const keys = catalog.entities[view.entity]?.keys ?? [];
  const facts: [string, string][] = [
    ["lane", view.lane],
    ["version", String(view.version)],
    ["entity", `${view.entity} (${keys.map(({ name, type }) => `${name} ${type}`).join(", ")})`],
    ["freshness", formatMs(view.freshnessMs)],
    ["ttl", view.ttlMs === null ? "never" : formatMs(view.ttlMs)],
    ...optional("record", view.ownRecord === true ? "its own" : undefined),
    ...laneFacts(view),
    ...labelFacts(view),
  ];
  const features = view.features.map((feature) => [
    `  ${feature.name}`,
    typeOf(feature),
    checksOf(feature),
    feature.description ?? "",
  ]);
  return `view ${view.name}\n${indented(facts)}\nfeatures\n${alignColumns(features)}`;
}

function laneFacts(view: View): [string, string][] {
  switch (view.lane) {
    case "batch":
      return [
        ["sources", view.sources.join(", ")],
        ["every", formatMs(view.everyMs)],
      ];
    case "stream":
      return [
        ["source", view.source],
        ["key fields", pairs(view.keys)],
        ...optional("where", view.where),
        ["windows", view.windows.map(({ name, ms }) => `${name} (${formatMs(ms)})`).join(", ")],
        ["hop", formatMs(view.hopMs)],
        ["aggregations", view.aggregations.map(({ name, op, field }) => `${name} = ${op}(${field ?? ""})`).join(", ")],
      ];
    case "direct":
      return [["producers", view.producers.join(", ")]];
    default:
      return view satisfies never;
  }
}

export function describeSource(source: EventSource | TableSource): string {
  const facts: [string, string][] =
    source.kind === "event"
      ? [
          ["kind", "event"],
          ["version", String(source.version)],
          ["event time", source.eventTime],
          ["disorder", formatMs(source.disorderMs)],
          ["shards", String(source.shards)],
        ]
      : [
          ["kind", "table"],
          ["format", source.format],
          source.format === "postgres" ? ["query", source.query] : ["files", source.files.join(", ")],
          ...optional("unique", source.unique?.join(", ")),
        ];
  const fields = source.fields.map((field) => [
    `  ${field.name}`,
    typeOf(field),
    field.nullable ? "nullable" : "",
    field.description ?? "",
  ]);
  return `source ${source.name}\n${indented([...facts, ...labelFacts(source)])}\nfields\n${alignColumns(fields)}`;
}

export function describeEntity(entity: Entity, catalog: Catalog): string {
  const views = Object.values(catalog.views).filter((view) => view.entity === entity.name);
  const facts: [string, string][] = [
    ["keys", entity.keys.map(({ name, type }) => `${name} ${type}`).join(", ")],
    ["views", views.map(({ name }) => name).join(", ") || "none"],
    ...labelFacts(entity),
  ];
  return `entity ${entity.name}\n${indented(facts)}`;
}

export function describeFeatureService(service: FeatureService, catalog: Catalog): string {
  const facts: [string, string][] = [
    ["request keys", service.requestKeys.map(({ name, type }) => `${name} ${type}`).join(", ")],
    ...optional("request fields", requestFieldsText(service)),
    ...labelFacts(service),
  ];
  const columns = service.columns.map((column) => {
    const view = catalog.views[column.view];
    const feature = view?.features.find(({ name }) => name === column.feature);
    const source = `${column.view}.${column.feature}`;
    const layers = column.over?.map((layer) => `${layer.view}.${layer.feature}`) ?? [];
    const over = layers.length === 0 ? "" : `overridden by ${layers.join(", then ")}`;
    return [
      `  ${column.name}`,
      feature ? typeOf(feature) : "",
      source,
      view?.lane ?? "",
      `on ${pairs(column.keys)}`,
      over,
    ];
  });
  return `feature service ${service.name}\n${indented(facts)}\ncolumns\n${alignColumns([...columns, ...onDemandRows(service, catalog)])}`;
}

/** Join key ← where it comes from. */
function pairs(keys: Readonly<Record<string, string>>): string {
  return Object.entries(keys)
    .map(([key, from]) => (key === from ? key : `${key}=${from}`))
    .join(", ");
}

function labelFacts({ owner, tags, description }: Pick<View, "owner" | "tags" | "description">): [string, string][] {
  return [...optional("owner", owner), ...optional("tags", tags?.join(", ")), ...optional("description", description)];
}

function optional(name: string, value: string | undefined): [string, string][] {
  return value === undefined || value === "" ? [] : [[name, value]];
}

function indented(facts: readonly (readonly [string, string])[]): string {
  return alignColumns(facts.map(([name, value]) => [`  ${name}`, value]));
}
