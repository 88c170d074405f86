import { type Servers, startServers } from "@tributary/local/servers";
import { openRedis } from "@tributary/online-store/adapters/redis-client";
import { redisRecords } from "@tributary/online-store/adapters/redis-records";
import { readCells } from "@tributary/online-store/core/cell-merge";
import { decodeRecord } from "@tributary/online-store/core/record";
import { recordKey } from "@tributary/online-store/core/store-keys";
import { applyWrites } from "@tributary/online-store/handlers/apply-writes";
import { createLogger } from "@tributary/shared/runtime/logger";
import type { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { temporaryDirectory } from "../support/temporary-directory.ts";

const directory = temporaryDirectory("records");
const logger = createLogger({ name: "test", level: "silent" });
let servers: Servers;
let writers: Redis[];
beforeAll(async () => {
  servers = await startServers({ directory: directory.path, need: ["redis"] });
  const open = (name: string) => openRedis({ url: servers.redis.url, name, logger, commandTimeoutMs: 5_000 });
  writers = await Promise.all(["a", "b", "c", "d"].map(open));
});
afterAll(async () => {
  for (const writer of writers ?? []) writer.disconnect();
  await servers?.stop();
  directory.remove();
});

const keys = [0, 1, 2].map((partition) => recordKey(partition, "airport", "ORD"));

/** A cell of its own for every write, so that a lost update stays lost. */
function write(key: string, feature: string) {
  const version = { eventTime: 1, incarnation: 0, sequence: 0, minor: 0 };
  return { key, section: "congestion\u00001", cells: [{ feature, version, value: 1 }] };
}

describe("several writers of the same records at once", () => {
  it("lose no cell of each other", async () => {
    const perWriter = Array.from({ length: 100 }, (_, i) => i);
    const conflicts = await Promise.all(
      writers.map(async (writer, w) => {
        let met = 0;
        for (const i of perWriter) {
          const writes = keys.map((key) => write(key, `f${w}_${i}`));
          met += (await applyWrites(redisRecords(writer), writes)).conflicts;
        }
        return met;
      }),
    );
    expect(Math.max(...conflicts), "two writers met").toBeGreaterThan(0);
    for (const bytes of await redisRecords(writers[0] as Redis).read(keys)) {
      expect(readCells(decodeRecord(bytes as Buffer).sections.get("congestion\u00001"))).toHaveLength(400);
    }
  });

  it("go on after the server has forgotten its scripts", async () => {
    await writers[0]?.script("FLUSH");
    await applyWrites(redisRecords(writers[1] as Redis), [write(keys[0] as string, "after")]);
    const [bytes] = await redisRecords(writers[0] as Redis).read(keys);
    const cells = readCells(decodeRecord(bytes as Buffer).sections.get("congestion\u00001"));
    expect(cells.some((cell) => cell.feature === "after")).toBe(true);
  });
});
