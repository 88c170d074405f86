import { pack, unpack } from "@tributary/shared/codec/msgpack";
import { TributaryError } from "@tributary/shared/contracts/errors";
import type { ReadReply, ReadRequest } from "@tributary/shared/contracts/read";
import { describe, expect, it } from "vitest";
import { createTributary } from "./create-tributary.ts";
import type { Transport } from "./transport.ts";

interface Page {
  readonly request: ReadRequest;
  readonly timeoutMs: number;
}

/** A store whose answer to each key is the key itself. */
function echo(versionOf: (page: number) => Partial<ReadReply> = () => ({})) {
  const pages: Page[] = [];
  const transport: Transport = {
    read: async (body, timeoutMs) => {
      const request = unpack(body) as ReadRequest;
      const page = pages.push({ request, timeoutMs }) - 1;
      const values = request.keys.map(({ n }) => n);
      const column = { name: "n", values, statuses: values.map(() => "PRESENT"), lane: "direct" };
      const reply = { featureService: "s", catalogVersion: 1, epoch: "e", nowMs: 100 - page, columns: [column] };
      return pack({ ...reply, ...versionOf(page) });
    },
    write: () => Promise.reject(new Error("no writes")),
    publish: () => Promise.reject(new Error("no events")),
    close: async () => {},
  };
  return { pages, transport };
}

const keysTo = (count: number) => Array.from({ length: count }, (_, n) => ({ n }));

describe("a read of many keys", () => {
  it("is split into requests of at most 2,000 and put together in order", async () => {
    const { pages, transport } = echo();
    const reply = await createTributary(transport).readReply("s", keysTo(30_001), { detail: true, timeoutMs: 20_000 });
    expect(pages.map(({ request }) => request.keys.length)).toEqual([...Array(15).fill(2_000), 1]);
    expect(reply.columns).toEqual([
      { name: "n", values: keysTo(30_001).map(({ n }) => n), statuses: Array(30_001).fill("PRESENT"), lane: "direct" },
    ]);
    expect(reply.nowMs).toBe(100 - 15);
  });

  it("is halved where a reply was too large, asks for what is left in that size, and remembers it", async () => {
    const { pages, transport } = echo();
    let rowsMax = 500;
    const narrow: Transport = {
      ...transport,
      read: async (body, ms) => {
        const reply = await transport.read(body, ms);
        if ((unpack(body) as ReadRequest).keys.length <= rowsMax) return reply;
        throw new TributaryError("LIMIT_EXCEEDED", "a reply too large");
      },
    };
    const client = createTributary(narrow);
    const read = async (count: number, features?: string[]) => {
      pages.splice(0);
      const rows = await client.read("s", keysTo(count), { timeoutMs: 20_000, ...(features && { features }) });
      expect(rows).toEqual(keysTo(count));
      return pages.map(({ request }) => request.keys.length);
    };
    expect(await read(2_000)).toEqual([2_000, 1_000, 1_000, 500, 500, 500, 500]);
    expect(await read(2_000)).toEqual([500, 500, 500, 500]);
    expect((await read(2_000, ["n"]))[0]).toBe(2_000);
    expect((await read(40_000)).filter((length) => length > 500)).toEqual([]);
    rowsMax = 2_000;
    for (let i = 0; i < 200; i++) await read(2_000);
    expect(await read(2_000)).toEqual([2_000]);
    rowsMax = 0;
    const refused = client.read("s", keysTo(2_000), { timeoutMs: 20_000 });
    await expect(refused).rejects.toMatchObject({ code: "LIMIT_EXCEEDED" });
    rowsMax = 2_000;
    expect(await read(2_000)).toEqual([2_000]);
  });

  it("does not ask all its pages in a size that one of them was refused in", async () => {
    const { pages, transport } = echo((page) => {
      if (pages[page]?.request.keys.length === 2_000) throw new TributaryError("LIMIT_EXCEEDED", "a reply too large");
      return {};
    });
    const rows = await createTributary(transport).read("s", keysTo(60_000), { timeoutMs: 20_000 });
    expect(rows).toEqual(keysTo(60_000));
    expect(pages.filter(({ request }) => request.keys.length === 2_000).length).toBeLessThanOrEqual(8);
  });

  it("is read again when its pages were answered by different catalogs or epochs", async () => {
    for (const other of [{ catalogVersion: 2 }, { epoch: "f" }]) {
      const { pages, transport } = echo((page) => (page < 2 ? {} : other));
      const reply = await createTributary(transport).readReply("s", keysTo(6_000));
      expect(reply).toMatchObject(other);
      expect(pages).toHaveLength(6);
    }
  });

  it("asks for no further pages once one has failed", async () => {
    const { pages, transport } = echo((page) => {
      if (page === 0) throw new TributaryError("OVERLOADED", "full");
      return {};
    });
    const read = createTributary(transport).read("s", keysTo(100_000), { timeoutMs: 20_000 });
    await expect(read).rejects.toMatchObject({ code: "OVERLOADED" });
    await new Promise((resolve) => setImmediate(resolve));
    expect(pages).toHaveLength(8);
  });

  it("ends with STALE_CATALOG when they differ to the end", async () => {
    const { transport } = echo((page) => ({ catalogVersion: 1 + (page % 2) }));
    const read = createTributary(transport).readReply("s", keysTo(4_000), { timeoutMs: 500 });
    await expect(read).rejects.toMatchObject({ code: "STALE_CATALOG", message: expect.stringContaining("1 and 2") });
  });
});

describe("a client", () => {
  it("gives waiting requests what is left of their time, and refuses above its bounds", async () => {
    const { pages, transport } = echo();
    let answer = () => {};
    const answered = new Promise<void>((resolve) => {
      answer = resolve;
    });
    const slow: Transport = { ...transport, read: async (body, ms) => answered.then(() => transport.read(body, ms)) };
    const client = createTributary(slow, { inFlightMax: 1, waitingMax: 1 });
    const first = client.read("s", keysTo(1), { timeoutMs: 60_000 });
    const second = client.read("s", keysTo(1), { timeoutMs: 60_000 });
    await expect(client.read("s", keysTo(1))).rejects.toMatchObject({ code: "OVERLOADED" });
    answer();
    expect(await Promise.all([first, second])).toEqual([[{ n: 0 }], [{ n: 0 }]]);
    expect(pages[1]?.timeoutMs).toBeLessThan(60_000);
  });

  it("that is closed refuses every call", async () => {
    const client = createTributary(echo().transport);
    await client.close();
    for (const call of [client.read("s", keysTo(1)), client.write("v", []), client.publish("e", {})]) {
      await expect(call).rejects.toMatchObject({ code: "UNAVAILABLE", message: expect.stringContaining("closed") });
    }
  });
});
