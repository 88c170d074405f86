import type { View } from "../contracts/catalog.ts";
import type { Feature } from "../contracts/feature.ts";
import { checkBatch, checkColumns, checkDirect } from "./check-view.ts";
import { compileAggregate } from "./compile-aggregate-view.ts";
import { compileFeature } from "./compile-feature.ts";
import { compileStream } from "./compile-stream-view.ts";
import { checkNames } from "./names.ts";
import type { Problems } from "./problems.ts";
import { isMissingSql } from "./sql-file.ts";
import type {
  AggregateOptions,
  BatchOptions,
  DirectOptions,
  FeatureMap,
  StreamOptions,
  ViewDefinition,
} from "./view-definition.ts";
import { viewDuration, viewHead } from "./view-head.ts";

/** A view definition as catalog data; problems are collected, never thrown one by one. */
export function compileView(view: ViewDefinition, problems: Problems): View {
  switch (view.lane) {
    case "batch":
      return compileBatch(view, view.options as BatchOptions, problems);
    case "stream":
      return compileStream(view, view.options as StreamOptions, problems);
    case "direct":
      return compileDirect(view, view.options as DirectOptions, problems);
    case "open":
      return compileAggregate(view, view.options as AggregateOptions, problems);
    default:
      return view.lane satisfies never;
  }
}

function compileBatch(view: ViewDefinition, options: BatchOptions, problems: Problems): View {
  const problem = (why: string) => void problems.add(view, why);
  const features = compileFeatures(view, options.features, problems);
  checkColumns(view, features, problem);
  checkBatch(options, problem);
  return {
    lane: "batch",
    ...viewHead(view, problems),
    features,
    sql: sqlOf(view, options, problems),
    sources: options.from.map((source) => source.name),
    everyMs: viewDuration(view, "every", options.every, problems),
    deleteShareMax: options.deleteShareMax ?? 0.5,
  };
}

function compileDirect(view: ViewDefinition, options: DirectOptions, problems: Problems): View {
  const features = compileFeatures(view, options.features, problems);
  checkDirect(options, features, (why) => void problems.add(view, why));
  return {
    lane: "direct",
    ...viewHead(view, problems),
    features,
    producers: [...(options.producers ?? [])],
  };
}

function compileFeatures(view: ViewDefinition, features: FeatureMap, problems: Problems): Feature[] {
  const problem = (why: string) => void problems.add(view, why);
  checkNames("feature", Object.keys(features), problem);
  return Object.entries(features).map(([name, definition]) => compileFeature(name, definition, problem));
}

function sqlOf(view: ViewDefinition, { sql }: BatchOptions, problems: Problems): string {
  if (!isMissingSql(sql)) return sql;
  problems.addFile(view, `its SQL file ${sql.why}`);
  return `-- the file ${sql.why}`;
}
