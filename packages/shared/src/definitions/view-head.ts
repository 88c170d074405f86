import { durationMs } from "./duration.ts";
import { checkLabels, labelsOf } from "./labels.ts";
import type { Problems } from "./problems.ts";
import type { ViewDefinition } from "./view-definition.ts";

/** What every view says, as catalog data. */
export function viewHead(view: ViewDefinition, problems: Problems) {
  const { options } = view;
  const { version = 1, ownRecord } = options;
  checkLabels(options, (why) => void problems.add(view, why));
  if (!(Number.isSafeInteger(version) && version >= 1))
    problems.add(view, `version ${version} must be a whole number from 1 on`);
  if (ownRecord !== undefined && typeof ownRecord !== "boolean") problems.add(view, "ownRecord must be true or false");
  return {
    name: view.name,
    version,
    entity: view.entity.name,
    freshnessMs: viewDuration(view, "freshness", options.freshness, problems),
    ttlMs: options.ttl === undefined ? null : viewDuration(view, "ttl", options.ttl, problems),
    // False is left out: it says what an older definition says without it.
    ...(ownRecord === true && { ownRecord }),
    ...labelsOf(options),
  };
}

/** Milliseconds of a duration that a view names as `what`; 1 when it is none, and a problem. */
export function viewDuration(view: ViewDefinition, what: string, text: string, problems: Problems): number {
  return durationMs(text) ?? problems.add(view, `${what} "${text}" is not a duration; use one such as "15m"`);
}
