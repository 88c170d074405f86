import { encodeChunk } from "@tributary/shared/codec/chunk-codec";
import { unpack } from "@tributary/shared/codec/msgpack";
import { type DeadLetter, deadLetterSchema } from "@tributary/shared/contracts/dead-letter";
import { partitionOf, partitionToken } from "@tributary/shared/contracts/entity-key";
import { subjects } from "@tributary/shared/contracts/subjects";
import { openCursor } from "@tributary/shared/messaging/cursor";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { until } from "../support/until.ts";
import { chunkOf, confirmationOf, partitions, rowOf, type StoreRig, startStoreRig } from "./store-rig.ts";

const minute = 60_000;
const stamp = { incarnation: 1, sequence: 1, minor: 0 };
let rig: StoreRig;
let seen = 0;
beforeAll(async () => {
  rig = await startStoreRig();
});
afterAll(() => rig?.stop());
beforeEach(() => rig.printLogsOnFailure());

/** The next message set aside. */
async function nextDeadLetter(): Promise<DeadLetter> {
  const cursor = await openCursor(rig.admin, { stream: "TRIB_DLQ", filter: "trib.v1.dlq.>", from: seen + 1 });
  const [message] = await until(async () => {
    const messages = await cursor.next(1, 500);
    return messages.length > 0 && messages;
  });
  await cursor.close();
  seen = message?.sequence ?? seen;
  return deadLetterSchema.parse(unpack(message?.data ?? new Uint8Array()));
}

function row(key: string, view = "congestion", features: Record<string, number> = { score: 0.5 }) {
  return chunkOf(view, [
    { key, eventTime: Date.now() - 39 * minute, features, ...(view !== "congestion" && { stamp }) },
  ]);
}

describe("a message that cannot be applied is set aside with its cause, and its neighbours go on:", () => {
  const at = (key: string) => partitionOf(key, partitions);
  const subjectOf = (key: string) => subjects.rows("direct", at(key), "congestion");
  it.each([
    ["MALFORMED", "bytes that are no chunk", subjectOf("A"), () => new TextEncoder().encode("rubbish")],
    [
      "MALFORMED",
      "another view's chunk",
      subjectOf("ORD\u001fLAX"),
      () => encodeChunk({ ...row("ORD\u001fLAX", "route_profile"), lane: "direct" }),
    ],
    [
      "WRONG_LANE",
      "a batch view's rows",
      subjects.rows("direct", at("ORD\u001fLAX"), "route_profile"),
      () => encodeChunk(row("ORD\u001fLAX", "route_profile")),
    ],
    [
      "WRONG_PARTITION",
      "another partition's chunk",
      subjects.rows("direct", (at("A") + 1) % partitions, "congestion"),
      () => encodeChunk(row("A")),
    ],
    ["WRONG_PARTITION", "a key of another partition", subjectOf("A"), () => encodeChunk({ ...row("A"), keys: ["B"] })],
    [
      "UNKNOWN_FEATURE",
      "a feature that is not declared",
      subjectOf("A"),
      () => encodeChunk(row("A", "congestion", { speed: 1 })),
    ],
    ["BAD_VALUE", "a value out of its range", subjectOf("A"), () => encodeChunk(row("A", "congestion", { score: 2 }))],
    ["UNSUPPORTED_FORMAT", "a newer format", subjectOf("A"), () => new Uint8Array([0x81, 0xa1, 0x66, 0x09])],
  ])("%s for %s", async (code, _what, subject, data) => {
    const { sequence } = await rig.publishBytes(subject, "direct", data());
    await rig.publish(row("neighbour"));
    expect(await nextDeadLetter()).toMatchObject({
      code,
      subject,
      sequence,
      lane: "direct",
      process: "online-store",
      deliveries: 1,
    });
    await rig.settled();
    const reply = await rig.read({ featureService: "tower", keys: [{ code: "neighbour" }] });
    expect(rowOf(reply)).toMatchObject({ score: 0.5 });
  });

  it("CORRUPT for rows of a record whose stored bytes are damaged", async () => {
    await rig.publish(row("DMG"));
    await rig.settled();
    await rig.redis.setrange(`{${partitionToken(at("DMG"))}}:airport:DMG`, 20, "\u0000\u0001");
    await rig.publish(chunkOf("congestion", [{ key: "DMG", eventTime: Date.now(), features: { score: 0.1 } }]));
    expect(await nextDeadLetter()).toMatchObject({ code: "CORRUPT" });
    await expect(rig.read({ featureService: "tower", keys: [{ code: "DMG" }] })).rejects.toMatchObject({
      code: "CORRUPT",
    });
  });
});

describe("a confirmation", () => {
  const key = "ORD\u001fLAX";
  const read = (origin: string) =>
    rig.read({
      featureService: "boarding",
      keys: [{ origin, destination: "LAX" }],
      features: ["flights28d"],
      detail: true,
    });

  it("is withheld while a message below it is set aside, for that view and partition alone", async () => {
    const other = "DEN\u001fLAX";
    const subject = subjects.rows("batch", partitionOf(key, partitions), "route_profile");
    await rig.publish(row(key, "route_profile", { flights28d: 1 }));
    await rig.publish(row(other, "route_profile", { flights28d: 2 }));
    await rig.publishBytes(subject, "batch", new TextEncoder().encode("rubbish"));
    for (const one of [key, other]) await rig.publish(confirmationOf("route_profile", one, Date.now() - minute));
    expect(await nextDeadLetter()).toMatchObject({ code: "MALFORMED", lane: "batch" });
    await until(async () => (await read("DEN")).columns[0]?.fresh?.[0] === true);
    const held = (await read("ORD")).columns[0];
    expect([held?.values[0], held?.fresh?.[0]]).toEqual([1, false]);
    expect((held?.agesMs?.[0] ?? 0) >= 39 * minute).toBe(true);
  });
});

describe("a chunk of a catalog version that is not known yet", () => {
  it("is retried until the catalog arrives, and never set aside", async () => {
    await rig.publish({ ...row("NEW"), catalogVersion: 2 });
    await rig.publish(row("OLD"));
    const read = (code: string) => rig.read({ featureService: "tower", keys: [{ code }] }).then(rowOf);
    await until(async () => (await read("OLD")).score === 0.5);
    expect(await read("NEW")).toMatchObject({ score: null });
    await rig.applyCatalog(2);
    await until(async () => (await read("NEW")).score === 0.5);
    await rig.settled();
    const state = await rig.status();
    expect(state.catalogVersion).toBe(2);
    const letters = await openCursor(rig.admin, { stream: "TRIB_DLQ", filter: "trib.v1.dlq.>", from: seen + 1 });
    expect(await letters.next(1, 100)).toEqual([]);
    await letters.close();
  });
});
