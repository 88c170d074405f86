import fc from "fast-check";
import { it } from "vitest";
import { reservationKey } from "./idempotency.ts";

it("makes a bucket key of any text", () => {
  fc.assert(fc.property(fc.string(), (text) => /^[0-9a-f]{64}$/.test(reservationKey(text))));
});
