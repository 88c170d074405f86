import { TributaryError } from "./errors.ts";
import { nameSchema } from "./feature.ts";

/**
 * An event message on `events.<source>`: one event or an array of them, JSON or msgpack, told apart by the first byte
 * (`{`, `[` or white space is JSON; headers decide nothing, so that any program can publish). Fields by their declared names.
 * Timestamps are epoch milliseconds or RFC 3339 with a zone.
 */
export type EventRecord = Readonly<Record<string, unknown>>;

/** Where an event stands in the input (docs/internals/design.md §2). Compared as (incarnation, sequence, index) inside (source, shard). */
export interface Origin {
  readonly source: string;
  readonly shard: number;
  /** Creation time of TRIB_EVENTS, epoch ms. */
  readonly incarnation: number;
  readonly sequence: number;
  readonly index: number;
}

export type OriginPosition = Pick<Origin, "incarnation" | "sequence" | "index">;

export function compareOrigins(a: OriginPosition, b: OriginPosition): number {
  return a.incarnation - b.incarnation || a.sequence - b.sequence || a.index - b.index;
}

/**
 * The source's name, fit to stand in a subject.
 * @throws TributaryError UNKNOWN_SOURCE for what no source can be called
 */
export function checkedSourceName(source: string): string {
  if (nameSchema.safeParse(source).success) return source;
  throw new TributaryError(
    "UNKNOWN_SOURCE",
    "no source can have the name that was given: letters, digits and _, starting with a lower-case letter",
  );
}

const messageIdMax = 128;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const controlCharacters = /[\u0000-\u001f\u007f]/;

/**
 * What the broker knows a repeated message by. Its window is that of the whole stream, so the source stands in front: two
 * sources may use the same ids.
 * @throws TributaryError MALFORMED
 */
export function eventMessageId(source: string, id: string): string {
  if (id.length >= 1 && id.length <= messageIdMax && !controlCharacters.test(id)) return `${source}:${id}`;
  throw new TributaryError(
    "MALFORMED",
    `a message's id has 1 to ${messageIdMax} characters, none of them a control one`,
  );
}
