import { durationMs } from "./duration.ts";
import { labelsOf } from "./labels.ts";
import type { Problems } from "./problems.ts";
import type { ViewDefinition } from "./view-definition.ts";

/** What every view says, as catalog data. */
export function viewHead(view: ViewDefinition, problems: Problems) {
  const { options } = view;
  return {
    name: view.name,
    version: options.version ?? 1,
    entity: view.entity.name,
    freshnessMs: viewDuration(view, "freshness", options.freshness, problems),
    ttlMs: options.ttl === undefined ? null : viewDuration(view, "ttl", options.ttl, problems),
    ...labelsOf(options),
  };
}

/** Milliseconds of a duration that a view names as `what`; 1 when it is none, and a problem. */
export function viewDuration(view: ViewDefinition, what: string, text: string, problems: Problems): number {
  return durationMs(text) ?? problems.add(view, `${what} "${text}" is not a duration such as "15m"`);
}
