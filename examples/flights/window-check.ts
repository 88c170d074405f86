import { type CheckResult, compareWindows } from "./check.ts";
import { startMs, warmUpMs } from "./dataset.ts";
import { tower, windows } from "./definitions.ts";
import type { Mesh } from "./mesh.ts";
import { settled } from "./positions.ts";
import { recountWindows } from "./recount.ts";

/** At a paused instant: waits for positions, reads every window of every airport, and compares with a recount by SQL. */
export async function checkWindows(mesh: Mesh, instantMs: number): Promise<CheckResult> {
  await settled(mesh.connection, instantMs);
  const recount = await recountWindows(mesh.engine, startMs - warmUpMs, instantMs);
  const airports = [...recount.keys()];
  const rows = await mesh.client.read(
    windows,
    airports.map((code) => ({ code })),
  );
  const served = new Map(airports.map((code, i) => [code, (rows[i] ?? {}) as Record<string, unknown>]));
  return compareWindows(served, recount);
}

/** Every score that the gateway accepted, read back with its token: how many are not what was written. */
export async function checkScores(mesh: Mesh): Promise<CheckResult> {
  const entries = Object.entries(mesh.scorerReport().last);
  const rows = await mesh.client.read(
    tower,
    entries.map(([code]) => ({ code })),
    { after: entries.map(([, { token }]) => token) },
  );
  const mismatches = entries.flatMap(([airport, { score }], i) => {
    const served = rows[i]?.score;
    return served === score ? [] : [{ airport, feature: "score", served, expected: score }];
  });
  return { checked: entries.length, mismatches };
}
