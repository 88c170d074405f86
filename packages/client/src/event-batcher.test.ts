import { decodePayload } from "@tributary/shared/codec/json-or-msgpack";
import { TributaryError } from "@tributary/shared/contracts/errors";
import { limits } from "@tributary/shared/contracts/limits";
import { describe, expect, it } from "vitest";
import { EventBatcher } from "./event-batcher.ts";

interface Sent {
  readonly source: string;
  readonly events: readonly { readonly n: number }[];
  readonly bytes: number;
}

function batcherWith(options: { bytesMax?: number; pendingBytesMax?: number; failure?: Error } = {}) {
  const sent: Sent[] = [];
  const batcher = new EventBatcher({
    send: async (source, data) => {
      sent.push({ source, events: decodePayload(data).value as Sent["events"], bytes: data.length });
      if (options.failure) throw options.failure;
      return { stream: "TRIB_EVENTS", sequence: sent.length, duplicate: false };
    },
    // Long: only sizes and `close` send.
    lingerMs: 60_000,
    ...options,
  });
  return { batcher, sent };
}

describe("the event batcher", () => {
  it("puts many events into few messages, in order, one source a message", async () => {
    const { batcher, sent } = batcherWith({ bytesMax: 1_000 });
    const source = (n: number) => (n % 3 === 0 ? "a" : "b");
    const stored = Array.from({ length: 900 }, (_, n) => batcher.add(source(n), { n }));
    await batcher.close();
    const acks = await Promise.all(stored);
    expect(sent.length).toBeLessThan(20);
    for (const name of ["a", "b"]) {
      const events = sent.filter((one) => one.source === name).flatMap((one) => one.events.map(({ n }) => n));
      expect(events).toEqual(Array.from({ length: 900 }, (_, n) => n).filter((n) => source(n) === name));
    }
    acks.forEach(({ sequence }, n) => {
      expect(sent[sequence - 1]?.events.some((event) => event.n === n)).toBe(true);
    });
    expect(Math.max(...sent.map((one) => one.bytes))).toBeLessThanOrEqual(1_005);
  });

  it("tells every caller of a message that was not stored, and goes on", async () => {
    const { batcher } = batcherWith({ failure: new TributaryError("STREAM_FULL", "full") });
    const stored = [1, 2, 3].map((n) => batcher.add("a", { n }));
    const results = Promise.allSettled(stored);
    await batcher.close();
    expect((await results).map((result) => result.status)).toEqual(["rejected", "rejected", "rejected"]);
  });

  it("refuses when too much is pending, and takes more once it is stored", async () => {
    const { batcher } = batcherWith({ pendingBytesMax: 100 });
    const first = batcher.add("a", { text: "x".repeat(80) });
    await expect(batcher.add("a", { text: "x".repeat(80) })).rejects.toMatchObject({ code: "OVERLOADED" });
    await batcher.close();
    await first;
    const second = batcher.add("a", { text: "x".repeat(80) });
    await batcher.close();
    expect(await second).toMatchObject({ sequence: 2 });
  });

  it("refuses an event that no message can hold", async () => {
    const { batcher } = batcherWith();
    await expect(batcher.add("a", { text: "x".repeat(limits.eventBytesMax) })).rejects.toMatchObject({
      code: "LIMIT_EXCEEDED",
    });
  });
});
