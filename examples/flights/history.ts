import { copyFile, mkdir, rename } from "node:fs/promises";
import { join } from "node:path";
import { airportsFile, flightsFile, reportedAt } from "./dataset.ts";
import { type Engine, instant } from "./engine.ts";

/**
 * Lands raw files in the lake, as a real feed would: immutable Parquet, one file a delivery, written beside and then renamed,
 * so that a run never sees half a file.
 */
export async function landAirports(lake: string): Promise<void> {
  await mkdir(join(lake, "raw/airports"), { recursive: true });
  await copyFile(airportsFile, join(lake, "raw/airports/airports.csv"));
}

/** Flights reported in [fromMs, toMs); returns how many. */
export async function landFlights(
  engine: Engine,
  lake: string,
  range: { fromMs: number; toMs: number },
): Promise<number> {
  const folder = join(lake, "raw/flights");
  await mkdir(folder, { recursive: true });
  const name = `flights-${new Date(range.toMs).toISOString().replaceAll(/[:.]/g, "")}.parquet`;
  const where = `${reportedAt} >= ${instant(range.fromMs)} and ${reportedAt} < ${instant(range.toMs)}`;
  const temporary = join(folder, `.${name}.tmp`);
  await engine.run(
    `copy (select *, ${reportedAt} as reported_at from '${flightsFile}' where ${where}) to '${temporary}' (format parquet, compression zstd)`,
  );
  await rename(temporary, join(folder, name));
  const [landed] = await engine.rows(`select count(*)::int as flights from '${join(folder, name)}'`);
  return Number(landed?.flights);
}
