import type { Lane } from "@tributary/shared/contracts/catalog";
import type { BatchStatus, LaneFloor, StoreStatus, StreamStatus } from "@tributary/shared/contracts/status";
import { subjects } from "@tributary/shared/contracts/subjects";
import { boarding } from "./definitions.ts";
import type { Feed } from "./feed.ts";
import type { Mesh } from "./mesh.ts";
import { askJson } from "./positions.ts";
import { ageText, readTable, type ShownCell } from "./screen-table.ts";

/** A few lines once a second: what each lane does, and some vectors with the lane and age of every value. */
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
/** As declared in the definitions. */
const promised: Readonly<Record<Lane, string>> = { batch: "3 h", stream: "10 min", direct: "30 min" };
const hint = "npm run tributary -- get boarding origin=ORD destination=LAX --detail";

export function createScreen(mesh: Mesh, feed: Feed): Screen {
  let drawn = 0;
  let before = { atMs: Date.now(), rows: new Map<string, number>(), events: feed.published };

  async function describe(): Promise<string[]> {
    const [store, stream, batch] = await Promise.all([
      askJson<StoreStatus>(mesh.connection, subjects.storeStatus),
      askJson<StreamStatus>(mesh.connection, subjects.streamStatus),
      askJson<BatchStatus>(mesh.connection, subjects.batchStatus),
    ]);
    const rows = (await mesh.client.read(boarding, shownKeys, { detail: true })) as Readonly<
      Record<string, ShownCell>
    >[];
    const seconds = Math.max(0.001, (Date.now() - before.atMs) / 1000);
    const perSecond = (now: number, then = now): string => String(Math.max(0, Math.round((now - then) / seconds)));
    const laneLine = (lane: LaneFloor): string =>
      [
        `  ${lane.lane.padEnd(7)}`,
        perSecond(lane.counters.rows, before.rows.get(lane.lane)).padStart(6),
        `${Math.round(lane.counters.lagMs)} ms`.padStart(8),
        String(lane.lastSequence - lane.floor).padStart(7),
        `  ${ages(lane.lane, rows).padStart(7)} of ${promised[lane.lane].padEnd(6)}`,
        `  ${lastOf(lane, stream, batch)}`,
      ].join("");
    const lines = [
      "",
      `${new Date(mesh.clock.now()).toISOString().slice(0, 19)}Z simulated, ${mesh.clock.rate} × real time; ${perSecond(feed.published, before.events)} departures/s`,
      "",
      "  lane    rows/s     lag  behind      age, promised   rows since start",
      ...store.lanes.map(laneLine),
      "",
      ...readTable(
        shownKeys.map(({ origin, destination }) => `${origin} → ${destination}`),
        shownFeatures,
        rows,
      ),
      "",
      `  in another terminal: ${hint}`,
      "  Ctrl-C stops everything",
    ];
    before = {
      atMs: Date.now(),
      rows: new Map(store.lanes.map((lane) => [lane.lane, lane.counters.rows])),
      events: feed.published,
    };
    return lines;
  }

  return {
    draw: async () => {
      const lines = await describe().catch((error: unknown) => [
        "",
        `  status: ${error instanceof Error ? error.message : String(error)}`,
      ]);
      const width = process.stdout.columns ?? 120;
      if (process.stdout.isTTY && drawn > 0) process.stdout.write(`\u001b[${drawn}A\u001b[J`);
      process.stdout.write(`${lines.map((line) => line.slice(0, width - 1)).join("\n")}\n`);
      drawn = lines.length;
    },
  };
}

/** The greatest age of the lane's values on the screen. */
function ages(lane: Lane, rows: readonly Readonly<Record<string, ShownCell>>[]): string {
  const cells = rows.flatMap((row) => shownFeatures.map((feature) => row[feature]));
  const all = cells.flatMap((cell) => (cell?.lane === lane && cell.ageMs !== null ? [cell.ageMs] : []));
  return all.length === 0 ? "none" : ageText(Math.max(...all));
}

function lastOf({ lane, counters }: LaneFloor, stream: StreamStatus, batch: BatchStatus): string {
  const count = (value: number): string => value.toLocaleString("en");
  if (lane === "stream")
    return `${count(stream.counters.rowsPublished)} published, ${count(stream.counters.rowsUnchanged)} unchanged`;
  if (lane === "direct") return `${count(counters.rows)} written`;
  const runs = batch.runs.filter((run) => run.phase === "published");
  const sum = (field: "published" | "unchanged"): string =>
    count(runs.reduce((total, run) => total + run.counts[field], 0));
  return `${sum("published")} published, ${sum("unchanged")} unchanged`;
}
