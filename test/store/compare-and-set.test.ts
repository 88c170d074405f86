import { type Servers, startServers } from "@tributary/local/servers";
import { openRedis } from "@tributary/online-store/adapters/redis-client";
import { type Records, redisRecords } from "@tributary/online-store/adapters/redis-records";
import { knowingShapes } from "@tributary/online-store/adapters/redis-shapes";
import { readCells } from "@tributary/online-store/core/cell-merge";
import { decodeRecord } from "@tributary/online-store/core/record";
import { shapeField, shapeOf, shapeText } from "@tributary/online-store/core/shape";
import { recordKey, storeKeys } from "@tributary/online-store/core/store-keys";
import { applyWrites } from "@tributary/online-store/handlers/apply-writes";
import type { Cell } from "@tributary/shared/merge/cell";
import { createLogger } from "@tributary/shared/runtime/logger";
import type { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { temporaryDirectory } from "../support/temporary-directory.ts";

const directory = temporaryDirectory("records");
const logger = createLogger({ name: "test", level: "silent" });
let servers: Servers;
let connections: Redis[];
let writers: Records[];
beforeAll(async () => {
  servers = await startServers({ directory: directory.path, need: ["redis"] });
  const open = (name: string) => openRedis({ url: servers.redis.url, name, logger, commandTimeoutMs: 5_000 });
  connections = await Promise.all(["a", "b", "c", "d"].map(open));
  writers = connections.map((redis) => redisRecords(redis));
});
afterAll(async () => {
  for (const connection of connections ?? []) connection.disconnect();
  await servers?.stop();
  directory.remove();
});

const keys = [0, 1, 2].map((partition) => recordKey(partition, "airport", "ORD"));

/** A cell of its own for every write, so that a lost update stays lost. */
function write(key: string, feature: string, shape = shapeOf("congestion", 1, [feature])) {
  const version = { eventTime: 1, incarnation: 0, sequence: 0, minor: 0 };
  return { key, shape, cells: [{ feature, version, value: 1 }] };
}

describe("several writers of the same records at once", () => {
  it("lose no cell of each other", async () => {
    const perWriter = Array.from({ length: 100 }, (_, i) => i);
    const names = connections.flatMap((_, w) => perWriter.map((i) => `f${w}_${i}`));
    const shape = shapeOf("congestion", 1, names);
    const conflicts = await Promise.all(
      writers.map(async (writer, w) => {
        let met = 0;
        for (const i of perWriter) {
          const writes = keys.map((key) => write(key, `f${w}_${i}`, shape));
          met += (await applyWrites(writer, writes)).conflicts;
        }
        return met;
      }),
    );
    expect(Math.max(...conflicts), "two writers met").toBeGreaterThan(0);
    for (const key of keys) expect(await cellsOf(0, key)).toHaveLength(400);
  });

  it("go on after the server has forgotten its scripts", async () => {
    await connections[0]?.script("FLUSH");
    await applyWrites(writers[1] as Records, [write(keys[0] as string, "after")]);
    expect((await cellsOf(0, keys[0] as string)).some((cell) => cell.feature === "after")).toBe(true);
  });
});

describe("the shapes that records name", () => {
  const key = recordKey(7, "airport", "JFK");
  const shapes = storeKeys.shapes(7);

  it("stand beside the records of their partition, and another process learns them from there", async () => {
    const { shape } = write(key, "score");
    await applyWrites(writers[0] as Records, [write(key, "score")]);
    expect(await connections[0]?.hgetall(shapes)).toEqual({ [shapeField(shape.id)]: shapeText(shape) });
    expect(await cellsOf(1, key)).toHaveLength(1);
  });

  it("are written again before a record when the server has lost them", async () => {
    await connections[0]?.flushall();
    await applyWrites(writers[0] as Records, [write(key, "score")]);
    expect(await connections[0]?.hlen(shapes)).toBe(1);
  });

  it("make a record that names a lost one CORRUPT, and no write touches it", async () => {
    await connections[0]?.del(shapes);
    const stranger = redisRecords(connections[2] as Redis);
    await expect(cellsFrom(stranger, key)).rejects.toThrow(expect.objectContaining({ code: "CORRUPT" }));
    expect((await applyWrites(stranger, [write(key, "other")])).corrupt).toEqual(new Set([key]));
  });
});

function cellsOf(reader: number, key: string): Promise<Cell[]> {
  return cellsFrom(writers[reader] as Records, key);
}

async function cellsFrom(records: Records, key: string): Promise<Cell[]> {
  const [bytes] = await records.read([key]);
  const record = await knowingShapes(records.shapes, [key], () => decodeRecord(bytes as Buffer, records.shapes));
  return readCells(record.sections.get("congestion\u00001"));
}
