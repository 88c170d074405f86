import type { EventSource } from "../contracts/source.ts";
import { durationMs } from "./duration.ts";
import type { Problems } from "./problems.ts";
import type { EventSourceDefinition } from "./source.ts";

/** A resend comes with the event time of the first: beside the disorder, this covers a producer's outage of minutes. */
export const dedupeMsDefault = 600_000;
const idTypes = ["string", "int32", "int64"];

/** What an event source says of ids and lateness, as catalog data; only what is given. */
export function compileEventOptions(
  source: EventSourceDefinition,
  problems: Problems,
): Pick<EventSource, "id" | "dedupeMs" | "allowedLatenessMs"> {
  return { ...compileId(source, problems), ...compileLateness(source, problems) };
}

function compileId(source: EventSourceDefinition, problems: Problems): Pick<EventSource, "id" | "dedupeMs"> {
  const { id, dedupe } = source;
  if (id === undefined) {
    if (dedupe !== undefined) problems.add(source, "says dedupe but not id; name the field that holds an event's id");
    return {};
  }
  const type = source.fields[id]?.type;
  if (type === undefined) problems.add(source, `id "${id}" is not one of its fields; declare it`);
  else if (!idTypes.includes(type)) problems.add(source, `id "${id}" is ${type}; use string, int32 or int64`);
  return { id, dedupeMs: dedupe === undefined ? dedupeMsDefault : span(source, "dedupe", dedupe, problems) };
}

function compileLateness(source: EventSourceDefinition, problems: Problems): Pick<EventSource, "allowedLatenessMs"> {
  const { allowedLateness } = source;
  if (allowedLateness === undefined) return {};
  const isNone = /^0(ms|s|m|h|d)$/.test(allowedLateness);
  return { allowedLatenessMs: isNone ? 0 : span(source, "allowedLateness", allowedLateness, problems) };
}

type Labelled = Pick<EventSourceDefinition, "kind" | "name">;

function span(source: Labelled, what: string, text: string, problems: Problems): number {
  return durationMs(text) ?? problems.add(source, `${what} "${text}" is not a duration such as "10m"`);
}
