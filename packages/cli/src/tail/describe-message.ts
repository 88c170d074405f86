import { decodeChunk } from "@tributary/shared/codec/chunk-codec";
import { decodePayload } from "@tributary/shared/codec/json-or-msgpack";
import { type Chunk, type RowsChunk, tombstone } from "@tributary/shared/contracts/chunk";
import { deadLetterSchema } from "@tributary/shared/contracts/dead-letter";
import { keySeparator } from "@tributary/shared/contracts/entity-key";
import { TributaryError } from "@tributary/shared/contracts/errors";
import { parseRowsSubject, sourceOfEventSubject } from "@tributary/shared/contracts/subjects";
import type { TappedMessage } from "@tributary/shared/messaging/tap";
import { toJson } from "../output.ts";
import { printable } from "../printable.ts";

/** A message as it is shown: what surrounds the values, and with `values` keys, values and events too. */
export interface DescribedMessage {
  readonly at: string;
  readonly kind: "rows" | "confirm" | "events" | "dead-letter" | "message" | "unreadable";
  readonly subject: string;
  readonly bytes: number;
  readonly [fact: string]: unknown;
}

export function describeMessage(
  message: TappedMessage,
  { atMs, values }: { readonly atMs: number; readonly values: boolean },
): DescribedMessage {
  const { subject, data } = message;
  const common = { at: new Date(atMs).toISOString(), subject, bytes: data.length };
  try {
    return { ...common, ...contentOf(subject, data, values) };
  } catch (error) {
    if (!(error instanceof TributaryError)) throw error;
    return { ...common, kind: "unreadable", code: error.code };
  }
}

type Content = Pick<DescribedMessage, "kind"> & Readonly<Record<string, unknown>>;

function contentOf(subject: string, data: Uint8Array, values: boolean): Content {
  if (parseRowsSubject(subject)) return chunkContent(decodeChunk(data), values);
  const source = sourceOfEventSubject(subject);
  if (source !== undefined) return eventContent(source, decodePayload(data).value, values);
  if (/^trib\.v1\.dlq\./.test(subject)) return deadLetterContent(decodePayload(data).value);
  return { kind: "message", ...(values && { value: decodePayload(data).value }) };
}

function chunkContent(chunk: Chunk, values: boolean): Content {
  const { lane, view, viewVersion, partition, catalogVersion, producer, run } = chunk;
  const place = { lane, view, viewVersion, partition, catalogVersion, producer, ...(run && { run }) };
  if (chunk.kind === "confirm") {
    return { kind: "confirm", ...place, confirmedAt: new Date(chunk.confirmedAtMs).toISOString() };
  }
  const features = chunk.columns.map(({ feature }) => feature);
  const shown = values ? { values: chunk.keys.map((key, row) => rowOf(chunk, key, row)) } : {};
  return { kind: "rows", ...place, rows: chunk.keys.length, features, ...shown };
}

/** A withdrawn value is told apart from null by its own list. */
function rowOf({ columns, eventTimes }: RowsChunk, key: string, row: number): object {
  const cells = columns.map(({ feature, cells: column }) => [feature, column[row]] as const);
  const present = cells.filter(([, cell]) => cell !== undefined && cell !== tombstone);
  const withdrawn = cells.filter(([, cell]) => cell === tombstone).map(([feature]) => feature);
  const eventTime = eventTimes[row];
  return {
    key: key.split(keySeparator),
    eventTime: typeof eventTime === "number" ? new Date(eventTime).toISOString() : null,
    features: Object.fromEntries(present),
    ...(withdrawn.length > 0 && { withdrawn }),
  };
}

function eventContent(source: string, value: unknown, values: boolean): Content {
  const events = Array.isArray(value) ? value : [value];
  return { kind: "events", source, events: events.length, ...(values && { values: events }) };
}

function deadLetterContent(value: unknown): Content {
  const parsed = deadLetterSchema.safeParse(value);
  if (!parsed.success) return { kind: "unreadable", code: "UNSUPPORTED_FORMAT" };
  const { lane, process, stream, sequence, code, cause } = parsed.data;
  return { kind: "dead-letter", lane, process, stream, sequence, code, cause };
}

/** One line; what is no plain text in it is JSON. */
export function messageLine({ at, kind, subject, bytes, ...facts }: DescribedMessage): string {
  const shown = Object.entries(facts).map(([name, value]) => {
    const text = typeof value === "string" || typeof value === "number" ? String(value) : toJson(value);
    return `${name}=${text}`;
  });
  return printable([at, kind.padEnd(7), subject, `${bytes} B`, ...shown].join("  "));
}
