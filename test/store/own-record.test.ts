import { connectTributary, type Tributary } from "@tributary/client/connect";
import { recordKey } from "@tributary/online-store/core/store-keys";
import { partitionOf } from "@tributary/shared/contracts/entity-key";
import type { RowOutcome, WriteToken } from "@tributary/shared/contracts/write";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { dispatch, essay, library, opsDesk, page } from "./definitions.ts";
import { chunkOf, partitions, type StoreRig, startStoreRig, storeReady } from "./store-rig.ts";

let rig: StoreRig;
let client: Tributary;
beforeAll(async () => {
  rig = await startStoreRig({ services: ["online-store", "direct-gateway"] });
  client = await connectTributary({ natsUrl: rig.servers.nats.url("client") });
});
afterAll(async () => {
  await client?.close();
  await rig?.stop();
});
beforeEach(() => rig.printLogsOnFailure());

describe("a view with a record of its own", () => {
  it("is merged, awaited by token and read beside the entity's other views", async () => {
    const first = await client.write(essay, [{ key: { code: "ORD" }, features: { text: "long", words: 2 } }]);
    await client.write(page, [{ key: { code: "ORD" }, features: { words: 7 } }]);
    const partial = await client.write(essay, [{ key: { code: "ORD" }, features: { words: 3 } }]);
    const after = [...tokensOf(first), ...tokensOf(partial)];
    const [row] = await client.read(library, [{ code: "ORD" }], { after });
    expect(row).toEqual({ text: "long", words: 3, page_words: 7 });
    expect((await keysOf("ORD")).map((key) => key.split("ORD")[1])).toEqual(["", "\u001eessay"]);
  });

  it("takes out-of-order and repeated chunks like any other", async () => {
    const at = Date.now() - 10_000;
    const write = (eventTime: number, words: number) =>
      rig.publish(chunkOf("essay", [{ key: "LAX", eventTime, features: { words } }]));
    for (const [eventTime, words] of [
      [at + 2, 3],
      [at, 1],
      [at + 2, 3],
      [at + 1, 2],
    ] as const)
      await write(eventTime, words);
    await rig.settled();
    expect((await client.read(library, [{ code: "LAX" }]))[0]?.words).toBe(3);
  });

  it("can be a layer over a view in the entity's record, and the other way round", async () => {
    const key = { code: "SFO" };
    const both = { code: "SFO" };
    await client.write(page, [{ key, features: { words: 1 } }]);
    const over = await client.write(essay, [{ key, features: { words: 2 } }]);
    const read = async (written: Parameters<typeof tokensOf>[0]) =>
      (await rig.read({ featureService: "layered", keys: [both], detail: true, after: tokensOf(written) })).columns;
    const seen = async (written: Parameters<typeof tokensOf>[0]) =>
      (await read(written)).map(({ name, values, views }) => [name, values[0], views?.[0]]);
    expect(await seen(over)).toEqual([
      ["under_words", 2, "essay"],
      ["over_words", 1, "page"],
    ]);
    const withdrawn = await client.write(essay, [{ key, withdraw: ["words"] }]);
    expect(await seen(withdrawn)).toEqual([
      ["under_words", 1, "page"],
      ["over_words", 1, "page"],
    ]);
  });

  it("leaves reads of other views as they were", async () => {
    const key = { origin: "ORD", destination: "LAX" };
    const written = await client.write(opsDesk, [{ key, features: { delayP90: 4 } }]);
    expect((await client.read(dispatch, [key], { after: tokensOf(written) }))[0]?.typicalDelay).toBe(4);
  });

  it("is there again after the store was killed", async () => {
    await rig.services.kill("online-store");
    await storeReady(rig, "online-store");
    expect((await client.read(library, [{ code: "ORD" }]))[0]).toMatchObject({ text: "long", words: 3 });
  });
});

/** Every record of the airport, in order. */
async function keysOf(code: string): Promise<string[]> {
  const keys = await rig.redis.keys(`${recordKey(partitionOf(code, partitions), "airport", code)}*`);
  return keys.sort();
}

function tokensOf({ outcomes }: { readonly outcomes: readonly RowOutcome[] }): WriteToken[] {
  return outcomes.map((outcome) => {
    if (outcome.kind !== "accepted") throw new Error(`a row was ${outcome.kind}`);
    return outcome.token;
  });
}
