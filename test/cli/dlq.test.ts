import { partitionOf, partitionToken } from "@tributary/shared/contracts/entity-key";
import { publishDeadLetter } from "@tributary/shared/messaging/dead-letter";
import { readStoredMessage } from "@tributary/shared/messaging/stream-message";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { chunkOf, confirmationOf, partitions, rowOf, type StoreRig, startStoreRig } from "../store/store-rig.ts";
import { until } from "../support/until.ts";
import { folderFor } from "./environment-file.ts";
import { runCli } from "./run-cli.ts";

const minute = 60_000;
let rig: StoreRig;
let folder: ReturnType<typeof folderFor>;
const cli = (...args: string[]) => runCli(args, { directory: folder.path });

beforeAll(async () => {
  rig = await startStoreRig();
  folder = folderFor(rig.servers, { postgres: false });
});
afterAll(async () => {
  await rig?.stop();
  folder?.remove();
});
beforeEach(() => rig.printLogsOnFailure());

interface Letter {
  readonly sequence: number;
  readonly code: string;
  readonly replayed: boolean;
}

async function letters(...flags: string[]): Promise<readonly Letter[]> {
  const { json } = await cli("dlq", "list", ...flags, "--json");
  return (json() as { data: { letters: Letter[] } }).data.letters;
}

/** The newest letter, once there are so many. */
async function newest(count: number): Promise<Letter> {
  return until(async () => {
    const all = await letters();
    return all.length >= count && all[0];
  });
}

const recordOf = (entity: string, key: string) => `{${partitionToken(partitionOf(key, partitions))}}:${entity}:${key}`;

/** Rows whose record was damaged and then removed: set aside, and applicable again. */
async function setAside(entity: string, key: string, chunk: ReturnType<typeof chunkOf>, count: number) {
  await rig.redis.setrange(recordOf(entity, key), 20, "\u0000\u0001");
  const ack = await rig.publish(chunk);
  const letter = await newest(count);
  await rig.redis.del(recordOf(entity, key));
  return { ack, letter };
}

const route = "ORD\u001fLAX";
const isFresh = async () => {
  const keys = [{ origin: "ORD", destination: "LAX" }];
  const reply = await rig.read({ featureService: "boarding", keys, features: ["flights28d"], detail: true });
  return reply.columns[0]?.fresh?.[0] === true;
};
const score = async (code: string) => rowOf(await rig.read({ featureService: "tower", keys: [{ code }] })).score;

describe("dlq", () => {
  it("says that there is nothing", async () => {
    expect((await cli("dlq", "list")).stdout).toBe("no dead letters\n");
    expect((await cli("dlq", "show", "1")).code).toBe(3);
    expect((await cli("dlq", "replay", "--all")).stdout).toBe("nothing to replay\n");
    expect((await cli("dlq", "replay")).code).toBe(2);
    expect((await cli("dlq", "list", "--lane", "sideways")).code).toBe(2);
  });

  it("replays a direct chunk with the version it had: what was written since stays", async () => {
    const write = (value: number) =>
      chunkOf("congestion", [{ key: "DMG", eventTime: null, features: { score: value } }]);
    await rig.publish(write(0.1));
    await rig.settled();
    const { ack, letter } = await setAside("airport", "DMG", write(0.2), 1);
    expect(letter).toMatchObject({
      code: "CORRUPT",
      lane: "direct",
      process: "online-store",
      original: { stream: "TRIB_ROWS_DIRECT", sequence: ack.sequence },
      deliveries: 1,
      replayed: false,
    });
    const replayed = await cli("dlq", "replay", String(letter.sequence), "--json");
    expect(replayed.json()).toMatchObject({ ok: true, data: { outcomes: [{ outcome: "replayed" }] } });
    await until(async () => (await score("DMG")) === 0.2);
    await rig.publish(write(0.3));
    await rig.settled();
    const again = await cli("dlq", "replay", String(letter.sequence));
    expect(again).toMatchObject({ code: 4, stdout: expect.stringContaining("replayed before") });
    const original = await readStoredMessage(rig.admin, "TRIB_ROWS_DIRECT", { seq: ack.sequence });
    const { process: _, ...copy } = { process: "", stream: "TRIB_ROWS_DIRECT", sequence: ack.sequence };
    await publishDeadLetter(rig.admin, {
      ...copy,
      lane: "direct",
      process: "test",
      subject: original?.subject ?? "",
      code: "CORRUPT",
      cause: "again",
      deliveries: 1,
      payload: original?.data ?? new Uint8Array(),
    });
    expect((await cli("dlq", "replay", "--all", "--lane", "direct")).code).toBe(0);
    await rig.settled();
    expect(await score("DMG")).toBe(0.3);
    expect((await letters()).map(({ replayed: isReplayed }) => isReplayed)).toEqual([true, true]);
  });

  it("lifts the hold of a replayed batch chunk, so that confirmations count again", async () => {
    const stamp = { incarnation: 1, sequence: 1, minor: 0 };
    const row = { key: route, eventTime: Date.now() - 39 * minute, features: { flights28d: 7 }, stamp };
    await rig.publish(chunkOf("route_profile", [row]));
    await rig.settled();
    const later = { ...row, stamp: { ...stamp, sequence: 2 } };
    const { letter } = await setAside("route", route, chunkOf("route_profile", [later]), 3);
    await rig.publish(confirmationOf("route_profile", route, Date.now() - minute));
    await rig.settled();
    expect(await isFresh()).toBe(false);
    expect((await cli("dlq", "replay", String(letter.sequence))).code).toBe(0);
    await until(isFresh);
  });

  it("shows a letter, its payload only when asked, and lists by lane", async () => {
    const [batch] = await letters("--lane", "batch");
    const [direct] = await letters("--lane", "direct", "--limit", "1");
    expect([batch?.sequence, direct?.sequence]).toEqual([3, 2]);
    const shown = await cli("dlq", "show", "3", "--json");
    expect(shown.json()).toMatchObject({ data: { sequence: 3, payloadBytes: expect.any(Number), replayed: true } });
    expect(shown.stdout + (await cli("dlq", "list")).stdout).not.toMatch(/ORD|flights28d/);
    expect((await cli("dlq", "show", "3", "--payload")).stdout).toMatch(/payload[\s\S]*"flights28d"/);
  });

  it("replays a poison event on its source, and refuses what it cannot replay rightly", async () => {
    const letter = { lane: "stream", process: "test", code: "BAD_VALUE", cause: "not a number", deliveries: 1 };
    const payload = new TextEncoder().encode('{"origin":"ORD"}');
    const event = { ...letter, stream: "TRIB_EVENTS", subject: "trib.v1.events.departures", payload };
    await publishDeadLetter(rig.admin, { ...event, sequence: 1 });
    await publishDeadLetter(rig.admin, { ...event, sequence: 2, cause: "x (payload cut from 9 to 5 bytes)" });
    const keyed = { ...event, stream: "TRIB_KEYED", subject: "trib.v1.keyed.p00.departures.airport" };
    await publishDeadLetter(rig.admin, { ...keyed, sequence: 3 });
    const unknown = chunkOf("congestion", [{ key: "A", eventTime: null, features: { score: 0.5 } }]);
    const { encodeChunk } = await import("@tributary/shared/codec/chunk-codec");
    const gone = { ...letter, lane: "direct", stream: "TRIB_ROWS_DIRECT", payload: encodeChunk(unknown) };
    const subject = `trib.v1.rows.direct.${partitionToken(unknown.partition)}.congestion`;
    await publishDeadLetter(rig.admin, { ...gone, subject, sequence: 99_999 });
    const { code, json } = await cli("dlq", "replay", "--all", "--json");
    expect(code).toBe(6);
    expect(json()).toMatchObject({
      data: {
        outcomes: [
          { outcome: "replayed", stream: "TRIB_EVENTS" },
          { outcome: "refused", message: expect.stringContaining("too large") },
          { outcome: "refused", message: expect.stringContaining("TRIB_KEYED") },
          { outcome: "refused", code: "HISTORY_LOST", message: expect.stringContaining("no longer in its stream") },
        ],
      },
    });
    const stored = await readStoredMessage(rig.admin, "TRIB_EVENTS", { last_by_subj: event.subject });
    expect(stored?.headers["Nats-Msg-Id"]).toBe("dlq:4");
    expect(new TextDecoder().decode(stored?.data)).toBe('{"origin":"ORD"}');
  });
});
