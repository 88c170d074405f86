import { eventId } from "@tributary/shared/aggregation/event-ids";
import { pack, unpack } from "@tributary/shared/codec/msgpack";
import { describe, expect, it } from "vitest";
import { decodeKeyedChunk, encodeKeyedChunk, type KeyedChunk } from "./keyed-item.ts";

const chunk: KeyedChunk = {
  source: "flights",
  sourceVersion: 1,
  shard: 0,
  entity: "airport",
  partition: 7,
  incarnation: 986_000_000_123,
  catalogVersion: 3,
  producer: "stream-processor-1",
  fence: 2,
  views: [
    ["departures", 1],
    ["arrivals", 4],
  ],
  fields: ["delay"],
  items: [
    {
      sequence: 41,
      index: 0,
      arrivalMs: 978_696_443_400,
      eventMs: 978_696_000_000,
      projections: [[0, "ORD"]],
      values: [12.5],
    },
    {
      sequence: 41,
      index: 1,
      arrivalMs: 978_696_443_400,
      eventMs: -1,
      projections: [
        [0, "ORD"],
        [1, "LAX"],
      ],
      values: [null],
    },
  ],
  markMs: 978_696_443_401,
};

/** Format 1 as it was first written: a change here needs a new format number. */
const golden =
  "jqFmAaFzp2ZsaWdodHOic3YBonNoAKFlp2FpcnBvcnShcAehactCbLJFwI9gAKJjdgOiYnmyc3RyZWFtLXByb2Nlc3Nvci0xpWZlbmNlAqF2kpKqZGVwYXJ0dXJlcwGSqGFycml2YWxzBKFjkaVkZWxheaJpdJKWKQDLQmx721LBAADLQmx72npAAACRkgCjT1JEkctAKQAAAAAAAJYpActCbHvbUsEAAP+SkgCjT1JEkgGjTEFYkcCibWvLQmx721LBIAA=";

describe("a keyed chunk", () => {
  it("comes back as it went", () => {
    expect(decodeKeyedChunk(encodeKeyedChunk(chunk))).toEqual(chunk);
  });

  it("keeps the bytes of format 1", () => {
    expect(Buffer.from(encodeKeyedChunk(chunk)).toString("base64")).toBe(golden);
    expect(decodeKeyedChunk(Buffer.from(golden, "base64"))).toEqual(chunk);
  });

  it("carries events' ids in format 2, which a build without them refuses", () => {
    const [first, second] = chunk.items as [KeyedChunk["items"][number], KeyedChunk["items"][number]];
    const withIds = { ...chunk, items: [{ ...first, id: eventId("a-1") }, second] };
    expect(unpack(encodeKeyedChunk(withIds))).toMatchObject({ f: 2 });
    expect(decodeKeyedChunk(encodeKeyedChunk(withIds))).toEqual(withIds);
  });

  it.each([
    ["another format", { f: 4 }, /format 4 is not known, this build reads 1, 2, 3/],
    ["no fields at all", {}, /missing or of the wrong type/],
    ["something else", 5, /not a keyed chunk/],
  ])("is refused when it is %s", (_, value, message) => {
    expect(() => decodeKeyedChunk(pack(value))).toThrow(message);
  });

  it("is refused when a projection names no view, or values are missing", () => {
    const item = chunk.items[0] as KeyedChunk["items"][number];
    const wrongView = encodeKeyedChunk({ ...chunk, items: [{ ...item, projections: [[2, "ORD"]] }] });
    expect(() => decodeKeyedChunk(wrongView)).toThrow(/names no view/);
    const tooFew = encodeKeyedChunk({ ...chunk, items: [{ ...item, values: [] }] });
    expect(() => decodeKeyedChunk(tooFew)).toThrow(/0 values for 1 fields/);
  });
});
