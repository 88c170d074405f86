import type { BatchStatus, StoreStatus, StreamStatus } from "@tributary/shared/contracts/status";
import { subjects } from "@tributary/shared/contracts/subjects";
import { boarding } from "./definitions.ts";
import type { Feed } from "./feed.ts";
import type { Mesh } from "./mesh.ts";
import { askJson } from "./positions.ts";

/** A few lines once a second: each lane's rate and lag, and some vectors with lane and age. */
export interface Screen {
  draw(): Promise<void>;
}

const shownKeys = [
  { origin: "ORD", destination: "LAX" },
  { origin: "ATL", destination: "DFW" },
  { origin: "SFO", destination: "SEA" },
];
const shownFeatures = [
  "departures_15m",
  "departures_1h",
  "delayP90_1h",
  "flights28d",
  "delayP90",
  "origin_score",
] as const;

export function createScreen(mesh: Mesh, feed: Feed): Screen {
  let drawn = 0;
  let before = { atMs: Date.now(), rows: new Map<string, number>(), events: 0 };
  return {
    draw: async () => {
      const lines = await describe().catch((error: unknown) => [
        `status    ${error instanceof Error ? error.message : String(error)}`,
      ]);
      if (process.stdout.isTTY && drawn > 0) process.stdout.write(`\u001b[${drawn}A\u001b[J`);
      process.stdout.write(`${lines.join("\n")}\n`);
      drawn = lines.length;
    },
  };

  async function describe(): Promise<string[]> {
    const [store, stream, batch] = await Promise.all([
      askJson<StoreStatus>(mesh.connection, subjects.storeStatus),
      askJson<StreamStatus>(mesh.connection, subjects.streamStatus),
      askJson<BatchStatus>(mesh.connection, subjects.batchStatus),
    ]);
    const seconds = Math.max(0.001, (Date.now() - before.atMs) / 1000);
    const laneLines = store.lanes.map((lane) => {
      const rate = (lane.counters.rows - (before.rows.get(lane.lane) ?? 0)) / seconds;
      const behind = lane.lastSequence - lane.floor;
      return `  ${lane.lane.padEnd(7)} ${String(Math.round(Math.max(0, rate))).padStart(6)} rows/s   lag ${String(Math.round(lane.counters.lagMs)).padStart(4)} ms   ${behind} messages behind   ${laneDetail(lane.lane, stream, batch)}`;
    });
    const events = Math.round((feed.published - before.events) / seconds);
    before = {
      atMs: Date.now(),
      rows: new Map(store.lanes.map((lane) => [lane.lane, lane.counters.rows])),
      events: feed.published,
    };
    return [
      "",
      `${new Date(mesh.clock.now()).toISOString().slice(0, 19)}Z (simulated, ${mesh.clock.rate}×)   ${events} departures/s published   catalog ${store.catalogVersion}`,
      ...laneLines,
      ...(await vectors()),
      "  try  npm run tributary -- get boarding origin=ORD destination=LAX --detail    (in another terminal; Ctrl-C here stops everything)",
    ];
  }

  async function vectors(): Promise<string[]> {
    const rows = await mesh.client.read(boarding, shownKeys, { detail: true });
    return rows.map((row, i) => {
      const key = shownKeys[i];
      const shown = shownFeatures.map((name) => {
        const cell = row[name];
        return `${name} ${value(cell.value)} (${cell.lane}, ${age(cell.ageMs)}${cell.fresh ? "" : ", stale"})`;
      });
      return `  ${key?.origin}→${key?.destination}  ${shown.join("  ")}`;
    });
  }
}

function laneDetail(lane: string, stream: StreamStatus, batch: BatchStatus): string {
  if (lane === "stream")
    return `published ${stream.counters.rowsPublished}, unchanged ${stream.counters.rowsUnchanged}`;
  if (lane !== "batch") return "";
  const run = batch.runs.findLast((one) => one.phase === "published");
  return run ? `last run ${run.view}: published ${run.counts.published}, unchanged ${run.counts.unchanged}` : "";
}

function value(raw: unknown): string {
  if (typeof raw === "number") return Number.isInteger(raw) ? String(raw) : raw.toFixed(2);
  return raw === null || raw === undefined ? "–" : String(raw);
}

function age(ms: number | null): string {
  if (ms === null) return "no age";
  return ms < 60_000 ? `${(ms / 1000).toFixed(1)} s` : `${Math.round(ms / 60_000)} min`;
}
