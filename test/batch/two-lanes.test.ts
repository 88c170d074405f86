import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { relativeAccuracy } from "@tributary/shared/aggregation/quantile-sketch";
import { decodeChunk } from "@tributary/shared/codec/chunk-codec";
import type { BatchView, Catalog } from "@tributary/shared/contracts/catalog";
import { aggregateView } from "@tributary/shared/definitions/aggregate-view";
import { count, max, mean, min, percentile, sum } from "@tributary/shared/definitions/aggregation";
import { compileDefinitions } from "@tributary/shared/definitions/compile";
import { entity } from "@tributary/shared/definitions/entity";
import { float64, string, timestamp } from "@tributary/shared/definitions/feature-type";
import { eventSource, tableSource } from "@tributary/shared/definitions/source";
import { afterAll, beforeAll, describe, expect, it, onTestFailed } from "vitest";
import { workOnView } from "../../services/batch-runner/src/handlers/work-on-view.ts";
import { randomFlights } from "../stream/flights.ts";
import { mergeAll } from "../stream/naive-store.ts";
import { type Rig, startMs, startRig } from "../stream/rig.ts";
import { openBackends } from "./backends.ts";

const fields = { origin: string(), delay: float64({ nullable: true }), at: timestamp() };
const flights = eventSource("flights", { fields, eventTime: "at", disorder: "4h" });
const past = tableSource("past_flights", { format: "parquet", files: ["raw/flights/*.parquet"], fields });
const windows = {
  entity: entity("airport", { key: { code: string() } }),
  from: flights,
  history: past,
  keys: { code: "origin" },
  where: "delay == null || delay > -30.0",
  windows: ["20m", "1h"],
  hop: "20m",
  features: {
    n: count(),
    delaySum: sum("delay"),
    delayMean: mean("delay"),
    delayMin: min("delay"),
    delayMax: max("delay"),
    delayP90: percentile("delay", 0.9),
  },
} as const;
const fresh = aggregateView("fresh", { ...windows, freshness: "10m" });
const slow = aggregateView("slow", { ...windows, freshness: "1h" });
const body = compileDefinitions([fresh, slow], { partitions: 4 });
const catalog: Catalog = { ...body, version: 1, fingerprint: "test" };

/** Aligned to the batch interval of half an hour, and to no hop: every flight lies in the eighty minutes before it or just after. */
const endMs = Date.UTC(2001, 0, 5, 11, 30);
const minute = 60_000;
/** At the end and at the hops to which the windows' left edges are rounded down. */
const edges = [endMs, endMs - 30 * minute, endMs - 70 * minute].flatMap((at) => [at, at - 1]);
const events = [
  ...randomFlights(400).map(({ origin, delay, at }, i) => ({
    origin,
    delay: i % 11 === 0 ? null : delay,
    at: at - startMs + endMs + (i % 7 === 0 ? minute / 2 : 0),
  })),
  ...edges.map((at) => ({ origin: "EDG", delay: 5, at })),
];

describe("one view in either lane", () => {
  let rig: Rig;
  beforeAll(async () => {
    rig = await startRig();
  });
  afterAll(() => rig?.stop());

  it("has the same values of the same events, sketches within their error", async () => {
    expect([body.views.fresh?.lane, body.views.slow?.lane]).toEqual(["stream", "batch"]);
    const streamed = await inStream();
    const batched = await inBatch();
    expect([...batched.keys()].sort()).toEqual([...new Set(events.map(({ origin }) => origin))].sort());
    for (const [code, row] of batched) {
      const other = streamed(code);
      for (const [name, value] of Object.entries(row)) expectSame(`${name} of ${code}`, value, other?.[name]);
    }
  });

  async function inStream() {
    await rig.begin(body);
    const processor = await rig.start("one");
    onTestFailed(() => void process.stderr.write(processor.log()));
    await rig.pauseAt(endMs);
    for (let at = 0; at < events.length; at += 50) await rig.publish(events.slice(at, at + 50));
    await rig.settled(endMs);
    const store = mergeAll(await rig.read("TRIB_ROWS_STREAM"));
    return (code: string) => store.readAt("fresh", code, endMs);
  }

  async function inBatch(): Promise<Map<string, Record<string, number | null>>> {
    const { servers } = rig;
    const backends = await openBackends({
      natsUrl: servers.nats.url("batch-runner"),
      databaseUrl: servers.postgres.url,
      spill: join(servers.directory, "spill"),
    });
    const ports = backends.portsOf(join(servers.directory, "lake"));
    const engine = await ports.openEngine();
    try {
      const rows = events.map(({ origin, delay, at }) => `('${origin}', ${delay}::DOUBLE, epoch_ms(${at}))`);
      await mkdir(ports.lake.absolute("raw/flights"), { recursive: true });
      const query = `SELECT * FROM (VALUES ${rows.join(", ")}) t(origin, delay, "at")`;
      await engine.writeParquet(query, ports.lake.absolute("raw/flights/a.parquet"));
      const view = body.views.slow as BatchView;
      const run = { catalog, view, intervalEndMs: endMs, request: undefined };
      const signal = new AbortController().signal;
      await workOnView(ports, { kind: "run", run }, { signal, report: () => undefined });
      return rowsByKey((await rig.read("TRIB_ROWS_BATCH")).map(({ data }) => data));
    } finally {
      engine.close();
      await backends.close();
    }
  }
});

function rowsByKey(messages: readonly Uint8Array[]): Map<string, Record<string, number | null>> {
  const chunks = messages.map((data) => decodeChunk(data)).filter((chunk) => chunk.kind === "rows");
  const rows = chunks.flatMap((chunk) =>
    chunk.keys.map((key, i) => {
      const cells = chunk.columns.map(({ feature, cells }) => [feature, cells[i] as number | null] as const);
      return [key, Object.fromEntries(cells)] as const;
    }),
  );
  return new Map(rows);
}

function expectSame(what: string, batch: number | null, stream: number | null | undefined): void {
  if (batch === null || typeof stream !== "number") {
    expect([what, stream]).toEqual([what, batch]);
    return;
  }
  const allowed = what.includes("P90")
    ? relativeAccuracy * 1.001 * Math.abs(batch)
    : 1e-9 * Math.max(1, Math.abs(batch));
  expect(Math.abs(stream - batch), `${what}: ${stream} in stream, ${batch} in batch`).toBeLessThanOrEqual(allowed);
}
