import { decodePayload, type Encoding, encodePayload } from "@tributary/shared/codec/json-or-msgpack";
import { asTributaryError, TributaryError } from "@tributary/shared/contracts/errors";
import { limits } from "@tributary/shared/contracts/limits";
import { toTypedEvent } from "./event-intake.ts";
import { projectEvent } from "./event-projection.ts";
import type { KeyedItem } from "./keyed-item.ts";
import type { EntityPlan, RoutingPlan } from "./routing-plan.ts";

/** A message of the source as route sees it. */
export interface SourceMessage {
  readonly sequence: number;
  readonly data: Uint8Array;
  /** On the clock, epoch ms. */
  readonly arrivalMs: number;
}

/** Items read but not yet published, per (partition, entity): each in stream order. */
export interface Series {
  readonly partition: number;
  readonly entity: EntityPlan;
  readonly items: KeyedItem[];
}

export interface PoisonEvent {
  readonly sequence: number;
  /** Of the event in its message; −1: the message as a whole. */
  readonly index: number;
  readonly payload: Uint8Array;
  readonly error: TributaryError;
}

export interface RoutedBatch {
  readonly series: Map<string, Series>;
  readonly poison: PoisonEvent[];
  events: number;
}

export function emptyBatch(): RoutedBatch {
  return { series: new Map(), poison: [], events: 0 };
}

/** Adds the events of a message to the batch; what cannot be used is set aside and nothing else stops (O4). */
export function routeMessage(plan: RoutingPlan, message: SourceMessage, batch: RoutedBatch): void {
  const decoded = decodeEvents(message, batch);
  if (decoded === undefined) return;
  decoded.events.forEach((record, index) => {
    batch.events += 1;
    try {
      routeEvent(plan, message, { record, index }, batch);
    } catch (error) {
      setAside(batch, message, { index, payload: encodePayload(record, decoded.encoding), error });
    }
  });
}

function decodeEvents(
  message: SourceMessage,
  batch: RoutedBatch,
): { events: unknown[]; encoding: Encoding } | undefined {
  try {
    if (message.data.length > limits.eventBytesMax)
      throw tooLarge(`${message.data.length} bytes, allowed are ${limits.eventBytesMax}`);
    const { value, encoding } = decodePayload(message.data);
    const events = Array.isArray(value) ? value : [value];
    if (events.length > limits.eventsPerMessageMax)
      throw tooLarge(`${events.length} events, allowed are ${limits.eventsPerMessageMax}`);
    return { events, encoding };
  } catch (error) {
    batch.events += 1;
    setAside(batch, message, { index: -1, payload: message.data, error });
    return undefined;
  }
}

function routeEvent(
  plan: RoutingPlan,
  message: SourceMessage,
  { record, index }: { record: unknown; index: number },
  batch: RoutedBatch,
): void {
  const event = toTypedEvent(plan.source, record, message.arrivalMs);
  for (const { entity, partition, keys, values } of projectEvent(plan, event)) {
    seriesOf(batch, partition, entity).items.push({
      sequence: message.sequence,
      index,
      arrivalMs: message.arrivalMs,
      eventMs: event.eventMs,
      projections: keys,
      values,
      ...(event.id !== undefined && { id: event.id }),
    });
  }
}

function seriesOf(batch: RoutedBatch, partition: number, entity: EntityPlan): Series {
  const name = `${partition}.${entity.entity.name}`;
  const found = batch.series.get(name);
  if (found) return found;
  const series = { partition, entity, items: [] };
  batch.series.set(name, series);
  return series;
}

function setAside(
  batch: RoutedBatch,
  message: SourceMessage,
  { index, payload, error }: { index: number; payload: Uint8Array; error: unknown },
): void {
  batch.poison.push({ sequence: message.sequence, index, payload, error: asTributaryError(error) });
}

function tooLarge(what: string): TributaryError {
  return new TributaryError("LIMIT_EXCEEDED", `event message: ${what}`);
}
