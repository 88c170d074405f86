import { recordKey } from "@tributary/online-store/core/store-keys";
import { partitionOf } from "@tributary/shared/contracts/entity-key";
import { receiptKey } from "@tributary/shared/contracts/erasure";
import { openBucket } from "@tributary/shared/messaging/bucket";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { folderFor } from "../cli/environment-file.ts";
import { runCli } from "../cli/run-cli.ts";
import { until } from "../support/until.ts";
import { chunkOf, partitions, rowOf, type StoreRig, startStoreRig } from "./store-rig.ts";

const stores = ["online-store", "online-store-2"];
let rig: StoreRig;
let folder: ReturnType<typeof folderFor>;
beforeAll(async () => {
  rig = await startStoreRig({ services: stores });
  folder = folderFor(rig.servers, { postgres: false });
});
afterAll(async () => {
  await rig?.stop();
  folder?.remove();
});
beforeEach(() => rig.printLogsOnFailure());

interface Status {
  readonly id: string;
  readonly erasedUpTo: string;
  readonly participants: readonly { readonly service: string; readonly state: string; readonly why?: string }[];
  readonly records: readonly { readonly view: string | null; readonly state: string }[] | null;
  readonly streams: readonly { readonly stream: string; readonly until: string | null }[];
}

async function cli(...args: string[]) {
  const result = await runCli([...args, "--json"], { directory: folder.path });
  const { data, error } = result.json() as { data: Status; error: { code: string } };
  return { exit: result.code, ...data, error, text: result.stdout + result.stderr };
}

/** No stream-processor runs here: its receipt is given for it. */
async function erase(code: string, id: string, ...more: string[]) {
  const body = { service: "stream-processor", instance: "test", atMs: Date.now() };
  const bucket = await openBucket(rig.admin, "TRIB_ERASURES");
  await bucket.put(receiptKey(id, body.service), new TextEncoder().encode(JSON.stringify(body)));
  return cli("erase", "airport", `code=${code}`, "--yes", "--id", id, ...more);
}
const storeOf = ({ participants }: Partial<Status>) => participants?.find(({ service }) => service === "online-store");

const secret = (code: string) => `secret of ${code}`;
/** One row of each view of the airport. */
function rowsOf(code: string, eventTime: number) {
  const stamp = { incarnation: 1, sequence: 7, minor: 0 };
  return [
    chunkOf("airport_now", [{ key: code, eventTime, features: { departures_15m: 3 }, stamp }]),
    chunkOf("congestion", [{ key: code, eventTime, features: { score: 0.5, reason: secret(code) } }]),
    chunkOf("essay", [{ key: code, eventTime, features: { text: secret(code), words: 3 } }]),
  ];
}

async function publish(code: string, eventTime = Date.now() - 1_000): Promise<void> {
  for (const chunk of rowsOf(code, eventTime)) await rig.publish(chunk);
  await rig.settled();
}

async function reasonOf(code: string): Promise<unknown> {
  return rowOf(await rig.read({ featureService: "tower", keys: [{ code }], features: ["reason"] })).reason;
}
async function textOf(code: string): Promise<unknown> {
  return rowOf(await rig.read({ featureService: "library", keys: [{ code }], features: ["text"] })).text;
}

/** All that Redis has of a key, as it stands there. */
async function rawOf(code: string): Promise<string> {
  const keys = await rig.redis.keys(`${recordKey(partitionOf(code, partitions), "airport", code)}*`);
  const values = await Promise.all(keys.map((key) => rig.redis.getBuffer(key)));
  return values.map((value) => value?.toString("latin1")).join();
}

describe("an erased entity key", () => {
  it("has nothing left in any of its records, and other keys have all", async () => {
    await publish("ORD");
    await publish("LAX");
    expect(await rawOf("ORD")).toContain(secret("ORD"));
    const status = await erase("ORD", "ord-first");
    expect(storeOf(status)).toMatchObject({ state: "done" });
    expect(status.records).toEqual([
      { view: null, state: "erased" },
      { view: "essay", state: "erased" },
    ]);
    expect(await rawOf("ORD")).not.toContain("secret");
    expect([await reasonOf("ORD"), await textOf("ORD")]).toEqual([null, null]);
    expect([await reasonOf("LAX"), await textOf("LAX")]).toEqual([secret("LAX"), secret("LAX")]);
  });

  it("is listed with the services that have carried it out", async () => {
    const { erasures } = (await cli("erasures", "list")) as unknown as { erasures: readonly object[] };
    expect(erasures).toEqual([
      expect.objectContaining({ entity: "airport", receipts: ["online-store", "stream-processor"] }),
    ]);
  });

  it("is told with the service that has not carried it out and the streams that may still name it", async () => {
    const status = await cli("erase", "airport", "code=ORD", "--yes", "--id", "ord-again", "--timeout", "2");
    expect(status.exit).toBe(6);
    expect(status.participants.map(({ service, state }) => [service, state])).toEqual([
      ["online-store", "done"],
      ["stream-processor", "pending"],
    ]);
    const held = new Map(status.streams.map(({ stream, until: end }) => [stream, end]));
    expect(held.get("TRIB_ROWS_DIRECT")).toBeNull();
    expect(held.get("TRIB_ROWS_STREAM")).toEqual(expect.any(String));
    expect(status.text).not.toContain("ORD");
  });

  it("stays erased when what was written before comes again, and takes what is written later", async () => {
    const { id, erasedUpTo } = await cli("erasures", "show", "ord-again");
    for (let round = 0; round < 3; round++) await publish("ORD", Date.now() - 5_000 + round);
    await publish("ORD", Date.parse(erasedUpTo) - 1);
    expect([await reasonOf("ORD"), await textOf("ORD")]).toEqual([null, null]);
    expect(await rawOf("ORD")).not.toContain("secret");
    await publish("ORD", Date.parse(erasedUpTo) + 1);
    expect(await reasonOf("ORD")).toBe(secret("ORD"));
    expect((await cli("erasures", "show", id)).records?.map(({ state }) => state)).toEqual(["rewritten", "rewritten"]);
  });

  it("is erased while all its lanes write", async () => {
    let isOver = false;
    const writing = (async () => {
      while (!isOver) for (const chunk of rowsOf("SFO", Date.now() - 10)) await rig.publish(chunk);
    })();
    await until(async () => (await reasonOf("SFO")) === secret("SFO"), { what: "SFO is written" });
    const status = await erase("SFO", "sfo-first");
    isOver = true;
    await writing;
    await rig.settled();
    expect(storeOf(status)).toMatchObject({ state: "done" });
    expect([await reasonOf("SFO"), await textOf("SFO")]).toEqual([null, null]);
    expect(await rawOf("SFO")).not.toContain("secret");
  });

  it("is not brought back by a new epoch, though all that was written before is replayed (R2)", async () => {
    const before = (await rig.status()).epoch;
    await rig.redis.flushall();
    const seen: unknown[] = [];
    const isBack = async () => {
      seen.push(await reasonOf("SFO").catch(() => null));
      return (await reasonOf("LAX").catch(() => null)) === secret("LAX") && (await rig.status()).epoch !== before;
    };
    await until(isBack, { what: "what Redis lost is there again" });
    await until(async () => (await rig.status()).lanes.every((lane) => lane.replay === undefined));
    expect([await reasonOf("SFO"), await textOf("SFO"), await rawOf("SFO")].join()).not.toContain("secret");
    expect(new Set(seen)).toEqual(new Set([null]));
  });

  it("of which nothing is known is erased all the same", async () => {
    const status = await erase("ZZZ", "nothing-known");
    expect(storeOf(status)).toMatchObject({ state: "done" });
    await publish("ZZZ");
    expect(await reasonOf("ZZZ")).toBeNull();
  });
});

describe("an erasure asked for while the stores stand still", () => {
  it("is pending, and done when they go on", async () => {
    await publish("DEN");
    for (const name of stores) rig.services.pause(name);
    const status = await erase("DEN", "patience", "--timeout", "1").finally(() => {
      for (const name of stores) rig.services.resume(name);
    });
    expect(status.exit).toBe(6);
    expect(storeOf(status)).toMatchObject({ state: "pending" });
    const isDone = async () => storeOf(await cli("erasures", "show", "patience"))?.state === "done";
    await until(isDone, { what: "the stores have erased it" });
    expect([await reasonOf("DEN"), await textOf("DEN")]).toEqual([null, null]);
  });

  it("is carried out by stores that were killed", async () => {
    await publish("SEA");
    await Promise.all(stores.map((name) => rig.services.kill(name)));
    const status = await erase("SEA", "killed", "--timeout", "30");
    expect(storeOf(status)).toMatchObject({ state: "done" });
    expect([await reasonOf("SEA"), await textOf("SEA")]).toEqual([null, null]);
  });
});

describe("a call that is wrong", () => {
  it.each([
    [3, "NOT_FOUND", ["erase", "harbour", "code=ORD", "--yes"]],
    [4, "UNKNOWN_KEY", ["erase", "airport", "name=ORD", "--yes"]],
    [4, "BAD_KEY", ["erase", "airport", "code=", "--yes"]],
    [4, "MISSING_KEY", ["erase", "route", "origin=ORD", "--yes"]],
    [2, "BAD_CONFIG", ["erase", "airport", "code=AUS"]],
    [2, "BAD_CONFIG", ["erase", "airport", "ORD", "--yes"]],
    [4, "BAD_VALUE", ["erase", "airport", "code=AUS", "--yes", "--id", "a b c d"]],
    [4, "BAD_VALUE", ["erase", "airport", "code=AUS", "--yes", "--id", "patience"]],
    [3, "NOT_FOUND", ["erasures", "show", "never-asked"]],
  ])("ends with %i %s: %j", async (exit, code, args) => {
    const result = await cli(...args);
    expect([result.exit, result.error.code]).toEqual([exit, code]);
  });
});
