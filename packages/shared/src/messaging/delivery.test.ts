import type { Msg } from "nats";
import { expect, test } from "vitest";
import { readDelivery } from "./delivery.ts";

function message(reply: string): Msg {
  return { reply, subject: "trib.v1.events.a", data: new Uint8Array([1]) } as unknown as Msg;
}

test("stream, sequences, deliveries and time are read from the acknowledgement subject, with and without a domain", () => {
  const tail = "TRIB_EVENTS.reader.3.42.7.1700000000123999999.5";
  for (const reply of [`$JS.ACK.${tail}`, `$JS.ACK.hub.ACCHASH.${tail}`, `$JS.ACK.hub.ACCHASH.${tail}.random`]) {
    const delivery = readDelivery(message(reply));
    expect(delivery).toMatchObject({ ackSubject: reply, deliverySequence: 7 });
    expect(delivery?.message).toMatchObject({
      stream: "TRIB_EVENTS",
      sequence: 42,
      deliveries: 3,
      timestampMs: 1_700_000_000_123,
    });
  }
});

test("a status or a plain request is no delivery", () => {
  expect(readDelivery(message(""))).toBeUndefined();
  expect(readDelivery(message("_INBOX.client.abc.1"))).toBeUndefined();
});
