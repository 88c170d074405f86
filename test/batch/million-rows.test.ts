import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { partitionOf } from "@tributary/shared/contracts/entity-key";
import { limits } from "@tributary/shared/contracts/limits";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { temporaryDirectory } from "../support/temporary-directory.ts";
import { type Rig, startRig } from "./rig.ts";

describe("a view of a million rows", () => {
  const lake = temporaryDirectory("million");
  let rig: Rig;
  beforeAll(async () => {
    rig = await startRig();
  });
  afterAll(async () => {
    await rig.stop();
    lake.remove();
  });

  it("is computed and published by a process with a heap of 128 MB: rows stream through it", async () => {
    const script = fileURLToPath(new URL("./million-rows.child.ts", import.meta.url));
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ["--max-old-space-size=128", "--conditions=tributary-source", "--import", "tsx", script],
      {
        env: {
          ...process.env,
          NATS_URL: rig.natsUrl,
          DATABASE_URL: rig.databaseUrl,
          LAKE: lake.path,
          NODE_OPTIONS: "",
        },
      },
    );
    const { counts, heapMbMax } = JSON.parse(stdout);
    expect(heapMbMax).toBeLessThan(200);
    expect(counts).toMatchObject({ rows: 1_000_000, inserted: 1_000_000, published: 1_000_000 });
    const bench = await rig.bench("million");
    const chunks = await bench.published();
    let rows = 0;
    for (const chunk of chunks) {
      if (chunk.kind !== "rows") continue;
      rows += chunk.keys.length;
      expect(chunk.keys.length).toBeLessThanOrEqual(limits.chunkRowsMax);
      expect(partitionOf(chunk.keys[0] ?? "", 8)).toBe(chunk.partition);
    }
    expect(rows).toBe(1_000_000);
  });
});
