import { eventId } from "@tributary/shared/aggregation/event-ids";
import { toFeatureValue } from "@tributary/shared/codec/value-codec";
import type { FeatureValue } from "@tributary/shared/contracts/chunk";
import { TributaryError } from "@tributary/shared/contracts/errors";
import { maxClockSkewMs } from "@tributary/shared/contracts/limits";
import type { EventSource, Field } from "@tributary/shared/contracts/source";

export interface TypedEvent {
  readonly eventMs: number;
  readonly fields: Readonly<Record<string, FeatureValue>>;
  /** By which it is known when it comes again, as it is kept. */
  readonly id?: string;
}

/**
 * Checks one event against its source's declared fields; unknown fields are ignored. It is judged by when it arrived, so
 * that a second reading after a crash decides as the first did (V7).
 * @throws TributaryError MALFORMED, BAD_VALUE, BAD_TIME, FUTURE_TIME, naming the field, never its value
 */
export function toTypedEvent(source: EventSource, record: unknown, arrivalMs: number): TypedEvent {
  if (typeof record !== "object" || record === null || Array.isArray(record) || record instanceof Uint8Array)
    throw new TributaryError("MALFORMED", `an event of source "${source.name}" must be an object of named fields`);
  const given = record as Readonly<Record<string, unknown>>;
  const fields = Object.fromEntries(source.fields.map((field) => [field.name, fieldValue(source, field, given)]));
  const eventMs = fields[source.eventTime];
  if (typeof eventMs !== "number")
    throw new TributaryError("BAD_TIME", `event of source "${source.name}" has no event time "${source.eventTime}"`);
  if (eventMs > arrivalMs + maxClockSkewMs) {
    throw new TributaryError(
      "FUTURE_TIME",
      `event time "${source.eventTime}" of source "${source.name}" is ${eventMs - arrivalMs} ms ahead of its arrival, allowed are ${maxClockSkewMs}`,
    );
  }
  const id = idOf(source, fields);
  return { eventMs, fields, ...(id !== undefined && { id }) };
}

/** An empty text is no id: producers send it for one that they do not have. */
function idOf(source: EventSource, fields: TypedEvent["fields"]): string | undefined {
  const value = source.id === undefined ? null : fields[source.id];
  if (typeof value === "number" || typeof value === "bigint") return eventId(value);
  if (typeof value === "string" && value !== "") return eventId(value);
  if (value === "" && !source.fields.find(({ name }) => name === source.id)?.nullable)
    throw new TributaryError(
      "BAD_VALUE",
      `field "${source.id}" of source "${source.name}" is the event's id and is empty`,
    );
  return undefined;
}

function fieldValue(source: EventSource, field: Field, given: Readonly<Record<string, unknown>>): FeatureValue {
  const input = Object.hasOwn(given, field.name) ? given[field.name] : undefined;
  const isTime = field.name === source.eventTime;
  if (input === undefined || input === null) {
    if (field.nullable && !isTime) return null;
    const what = `field "${field.name}" of source "${source.name}" is missing`;
    throw new TributaryError(isTime ? "BAD_TIME" : "BAD_VALUE", what);
  }
  try {
    return toFeatureValue(field, input);
  } catch (error) {
    if (!(error instanceof TributaryError)) throw error;
    const why = error.message.replace(/^feature "[^"]*" /, "");
    throw new TributaryError(
      isTime ? "BAD_TIME" : error.code,
      `field "${field.name}" of source "${source.name}" ${why}`,
    );
  }
}
