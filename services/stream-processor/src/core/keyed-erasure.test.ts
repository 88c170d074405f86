import { pack } from "@tributary/shared/codec/msgpack";
import { nameSchema } from "@tributary/shared/contracts/feature";
import { expect, it } from "vitest";
import { encodeKeyedErasure, erasureToken, type KeyedErasure } from "./keyed-erasure.ts";
import { decodeKeyedChunk, decodeKeyedMessage } from "./keyed-item.ts";

const erasure: KeyedErasure = {
  id: "ticket-4711",
  entity: "airport",
  partition: 3,
  key: "ORD",
  eventTime: 978_696_503_400,
  producer: "stream-processor-1",
  fence: 2,
};

/** Format 3 as it was first written: a change here needs a new format number. */
const golden =
  "iKFmA6F4q3RpY2tldC00NzExoWWnYWlycG9ydKFwA6Fro09SRKF0y0Jse9twDQAAomJ5snN0cmVhbS1wcm9jZXNzb3ItMaVmZW5jZQI=";

it("keeps the bytes of format 3", () => {
  expect(Buffer.from(encodeKeyedErasure(erasure)).toString("base64")).toBe(golden);
  expect(decodeKeyedMessage(Buffer.from(golden, "base64"))).toEqual({ kind: "erasure", erasure });
});

it("is refused by whoever reads events only, and when a field is missing", () => {
  expect(() => decodeKeyedChunk(encodeKeyedErasure(erasure))).toThrow(/not a keyed chunk/);
  expect(() => decodeKeyedMessage(pack({ f: 3, e: "airport" }))).toThrow(/erasure lacks a field/);
});

it("stands where no source can stand", () => {
  expect(nameSchema.safeParse(erasureToken).success).toBe(false);
  expect(erasureToken).toMatch(/^[^.*> ]+$/);
});
