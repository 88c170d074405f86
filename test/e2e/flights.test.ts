import { spawn } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { listProcesses } from "@tributary/local/process-table";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { OnceSummary } from "../../examples/flights/summary.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";

/** What `npm start -- --once --json --kill` runs: real flights, all three lanes, each service killed once. */
const start = fileURLToPath(new URL("../../examples/flights/start.ts", import.meta.url));

interface Told {
  readonly value: unknown;
  readonly lane: string | null;
  readonly status: string;
  readonly ageMs: number | null;
}

describe("the flights example, with every service killed once", () => {
  const temporary = temporaryDirectory("flights");
  const directory = join(temporary.path, "mesh");
  let exitCode: number | null = null;
  let summary: OnceSummary;
  let told = "";

  beforeAll(async () => {
    const child = spawn(
      process.execPath,
      ["--conditions=tributary-source", "--import", "tsx", start, "--once", "--json", "--kill"],
      {
        env: { ...process.env, TRIBUTARY_DIRECTORY: directory },
        stdio: ["ignore", "pipe", "pipe"],
      },
    );
    let output = "";
    child.stdout.on("data", (bytes: Buffer) => {
      output += bytes.toString();
    });
    child.stderr.on("data", (bytes: Buffer) => {
      told += bytes.toString();
    });
    exitCode = await new Promise((done) => child.once("close", done));
    summary = JSON.parse(output.trim().split("\n").at(-1) ?? "{}");
  }, 360_000);

  afterAll(() => temporary.remove());

  it("ends by itself with exit code 0 and ok", () => {
    expect({ exitCode, ok: summary.ok }, told).toEqual({ exitCode: 0, ok: true });
  });

  it("serves windows that equal a recount, at three paused instants", () => {
    expect(summary.stream.windowsChecked).toBeGreaterThanOrEqual(5_000);
    expect(summary.stream.windowMismatches).toBe(0);
    expect(summary.stream.rejected).toBe(0);
  });

  it("publishes every row of the first batch run and none of a rerun", () => {
    expect(summary.batch).toMatchObject({ rows: summary.batch.published, unchanged: 0, secondRunPublished: 0 });
    expect(summary.batch.rows).toBeGreaterThan(3_000);
    for (const run of summary.batch.hourly) expect(run.unchanged, run.view).toBeGreaterThan(0);
  });

  it("reads all three lanes in one vector, present and with an age", () => {
    const { unusual_delay: computed, ...stored } = summary.read.features as Record<string, Told>;
    const features = Object.values(stored);
    expect(new Set(features.map((feature) => feature.lane))).toEqual(new Set(["batch", "stream", "direct"]));
    const [now, usual] = [stored.delayMean_1h?.value, stored.origin_delayMean28d?.value];
    expect(computed).toMatchObject({ value: Number(now) - Number(usual), status: "PRESENT", lane: null });
    for (const feature of features) expect(feature.ageMs).not.toBeNull();
    expect(features.filter((feature) => feature.status === "NOT_FOUND")).toEqual([]);
  });

  it("reads back every accepted score by its token", () => {
    expect(summary.direct.writes).toBeGreaterThan(0);
    expect(summary.direct).toMatchObject({ scoresChecked: 16, scoreMismatches: 0 });
  });

  it("kills each service once, and reads fail only while the store itself is down", () => {
    expect([...summary.killed].sort()).toEqual(["batch-runner", "direct-gateway", "online-store", "stream-processor"]);
    expect(summary.reads).toBeGreaterThan(100);
    expect(summary.readsFailedOtherwise).toBe(0);
  });

  it("leaves no process behind", () => {
    expect(listProcesses(directory)).toEqual([]);
  });
});
