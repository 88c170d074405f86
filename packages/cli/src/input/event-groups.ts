import type { Readable } from "node:stream";
import { TributaryError } from "@tributary/shared/contracts/errors";
import { inputCharsMax, lineGroups, tooLong } from "./line-groups.ts";

/** Events to publish together, and the lines of the input in which they stand, counted from 1. */
export interface EventGroup {
  readonly events: readonly object[];
  readonly firstLine: number;
  readonly lastLine: number;
}

/**
 * Events from a text with one JSON event (or array of them) a line, of any length. A text whose first line is no JSON by itself is
 * taken as one JSON document over many lines. What stands before a bad line is handed on first.
 * @throws TributaryError MALFORMED, LIMIT_EXCEEDED naming the line; never what stands in it
 */
export async function* eventGroups(input: Readable): AsyncGenerator<EventGroup> {
  const reader = new EventReader();
  for await (const lines of lineGroups(input)) {
    const group = reader.take(lines);
    if (group.events.length > 0) yield group;
    if (reader.problem) throw reader.problem;
  }
  const group = reader.end();
  if (group.events.length > 0) yield group;
  if (reader.problem) throw reader.problem;
}

class EventReader {
  #line = 0;
  /** A document whose end has not come yet. */
  #document: string | undefined;
  #isByLine = false;
  problem: TributaryError | undefined;

  take(lines: readonly string[]): EventGroup {
    const firstLine = this.#line + 1;
    const events: object[] = [];
    for (const line of lines) {
      const found = this.#read(line);
      if (found === undefined) break;
      for (const event of found) events.push(event);
      this.#line += 1;
    }
    return { events, firstLine, lastLine: this.#line };
  }

  end(): EventGroup {
    const group = { firstLine: 1, lastLine: this.#line };
    if (this.#document === undefined || this.problem) return { ...group, events: [] };
    const events = parseEvents(this.#document);
    this.problem = events === undefined ? notAnEvent(1) : undefined;
    return { ...group, events: events ?? [] };
  }

  /** Undefined: the line is bad, and nothing behind it is read. */
  #read(line: string): readonly object[] | undefined {
    if (this.#document !== undefined) return this.#collect(line);
    if (line.trim() === "") return [];
    const events = parseEvents(line);
    this.#isByLine ||= events !== undefined;
    if (events !== undefined) return events;
    const mayBeDocument = !this.#isByLine && /^\s*[[{]/.test(line);
    if (mayBeDocument) return this.#collect(line);
    this.problem = notAnEvent(this.#line + 1);
    return undefined;
  }

  #collect(line: string): readonly object[] | undefined {
    this.#document = `${this.#document ?? ""}${line}\n`;
    if (this.#document.length <= inputCharsMax) return [];
    this.problem = tooLong("the document");
    return undefined;
  }
}

/** Undefined: neither an object nor an array of objects. */
function parseEvents(text: string): readonly object[] | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    const events = Array.isArray(parsed) ? parsed : [parsed];
    return events.every(isEvent) ? events : undefined;
  } catch {
    return undefined;
  }
}

function isEvent(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function notAnEvent(line: number): TributaryError {
  return new TributaryError("MALFORMED", `line ${line} is not a JSON object, nor an array of them`);
}
