import { describe, expect, it } from "vitest";
import { compileDefinitions } from "./compile.ts";
import { float64, int64, string, timestamp } from "./feature-type.ts";
import { eventSource } from "./source.ts";

const fields = { eventId: string({ nullable: true }), number: int64(), delay: float64(), at: timestamp() };
const common = { fields, eventTime: "at", disorder: "1h" } as const;
const compiled = (source: ReturnType<typeof eventSource>) => compileDefinitions([source]).sources[source.name];

describe("an event source", () => {
  it("takes an id, its reach in event time, and how late a window may be", () => {
    const options = { id: "eventId", dedupe: "30m", allowedLateness: "2h" } as const;
    expect(compiled(eventSource("e", { ...common, ...options }))).toMatchObject({
      id: "eventId",
      dedupeMs: 1_800_000,
      allowedLatenessMs: 7_200_000,
    });
    expect(compiled(eventSource("e", { ...common, id: "number", allowedLateness: "0s" }))).toMatchObject({
      id: "number",
      dedupeMs: 600_000,
      allowedLatenessMs: 0,
    });
  });

  it("says nothing of them when they are not given", () => {
    expect(Object.keys(compiled(eventSource("e", common)) ?? {})).toEqual([
      "kind",
      "name",
      "version",
      "fields",
      "eventTime",
      "disorderMs",
      "shards",
    ]);
  });

  it("is refused with what to do", () => {
    const wrong = [
      // @ts-expect-error no such field
      eventSource("a", { ...common, id: "nope" }),
      eventSource("b", { ...common, id: "delay" }),
      eventSource("c", { ...common, dedupe: "1m" }),
      // @ts-expect-error not a duration
      eventSource("d", { ...common, id: "eventId", dedupe: "soon", allowedLateness: "late" }),
    ];
    for (const named of [
      'eventSource "a" id "nope" is not one of its fields',
      'eventSource "b" id "delay" is float64; use string',
      'eventSource "c" says dedupe but not id',
      'eventSource "d" dedupe "soon" is not a duration',
      'eventSource "d" allowedLateness "late" is not a duration',
    ]) {
      expect(() => compileDefinitions(wrong)).toThrow(named);
    }
  });
});
