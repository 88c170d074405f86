import { describe, expect, it } from "vitest";
import { encodePayload } from "../codec/json-or-msgpack.ts";
import { pack } from "../codec/msgpack.ts";
import { eventMessageId } from "../contracts/events.ts";
import { limits } from "../contracts/limits.ts";
import { decodeEvents } from "./decode-events.ts";

describe("a message of events", () => {
  it("is one event or an array of them, JSON or msgpack", () => {
    expect(decodeEvents(encodePayload({ n: 1 }, "json"))).toEqual({ events: [{ n: 1 }], encoding: "json" });
    expect(decodeEvents(pack([{ n: 1 }, {}]))).toEqual({ events: [{ n: 1 }, {}], encoding: "msgpack" });
  });

  it.each([
    ["empty", new Uint8Array(), "MALFORMED", "empty"],
    ["of no event", pack([]), "MALFORMED", "at least one"],
    ["with a number in it", pack([{ n: 1 }, 5]), "MALFORMED", "event 1"],
    ["with an array in it", pack([[{ n: 1 }]]), "MALFORMED", "event 0"],
    ["of bytes", pack(new Uint8Array(3)), "MALFORMED", "event 0"],
    [
      "of too many events",
      pack(Array.from({ length: limits.eventsPerMessageMax + 1 }, () => ({}))),
      "LIMIT_EXCEEDED",
      "eventsPerMessageMax",
    ],
    ["of too many bytes", pack({ text: "x".repeat(limits.eventBytesMax) }), "LIMIT_EXCEEDED", "eventBytesMax"],
  ])("%s is refused, saying why", (_what, body, code, named) => {
    expect(() => decodeEvents(body)).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(named) }),
    );
  });

  it("is known again by an id of its source", () => {
    expect(eventMessageId("a", "1")).not.toBe(eventMessageId("b", "1"));
    for (const id of ["", "x".repeat(129), "a\nb"]) expect(() => eventMessageId("a", id)).toThrow(/1 to 128/);
  });
});
