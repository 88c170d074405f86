import type { EventSource } from "../contracts/source.ts";
import { compileEventOptions } from "./compile-event-options.ts";
import { compileFields } from "./compile-fields.ts";
import { durationMs } from "./duration.ts";
import { checkLabels, labelsOf } from "./labels.ts";
import type { Problems } from "./problems.ts";
import type { EventSourceDefinition } from "./source.ts";

const shardsMax = 64;

/** An event source as catalog data; problems are collected. */
export function compileEventSource(source: EventSourceDefinition, problems: Problems): EventSource {
  const problem = (why: string) => problems.add(source, why);
  checkLabels(source, problem);
  checkEventTime(source, problem);
  const { version = 1, shards = 1, disorder } = source;
  if (!isWhole(version)) problem(`version ${version} must be a whole number from 1 on`);
  if (!isWhole(shards) || shards > shardsMax) problem(`shards ${shards} must be a whole number from 1 to ${shardsMax}`);
  return {
    kind: "event",
    name: source.name,
    version,
    fields: compileFields(source.fields, problem),
    eventTime: source.eventTime,
    disorderMs:
      disorderMs(disorder) ?? problem(`disorder "${disorder}" is not a duration; use one such as "4h", or "0s"`),
    shards,
    ...compileEventOptions(source, problems),
    ...labelsOf(source),
  };
}

function checkEventTime({ eventTime, fields }: EventSourceDefinition, problem: (why: string) => void): void {
  if (eventTime === undefined) {
    problem("says no eventTime; name the timestamp field that says when it happened");
    return;
  }
  const type = Object.hasOwn(fields, eventTime) ? fields[eventTime]?.type : undefined;
  if (type === undefined)
    problem(`eventTime "${eventTime}" is not one of its fields; declare it: ${eventTime}: timestamp()`);
  else if (type !== "timestamp") problem(`eventTime "${eventTime}" must name a timestamp field, and it is ${type}`);
}

/** In order is a disorder too. */
function disorderMs(text: string): number | undefined {
  return /^0(ms|s|m|h|d)$/.test(text) ? 0 : durationMs(text);
}

function isWhole(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 1;
}
