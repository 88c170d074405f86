import { flightsFile, reportedAt } from "./dataset.ts";
import { type Engine, instant } from "./engine.ts";

/** One departure as it is published: `at` in epoch ms. */
export interface Departure {
  readonly origin: string;
  readonly destination: string;
  readonly delay: number;
  readonly at: number;
}

/** Takes departures out of the data set in the order in which they were reported. */
export interface Replay {
  /** Everything reported after what was taken before, up to and including `instantMs`. */
  takeUntil(instantMs: number): Promise<readonly Departure[]>;
  /** Reported up to here has been taken, epoch ms. */
  readonly positionMs: number;
}

const blockMs = 6 * 60 * 60_000;

export function openReplay(engine: Engine, fromMs: number): Replay {
  let positionMs = fromMs;
  let block = { untilMs: fromMs, rows: [] as { reportedMs: number; departure: Departure }[], next: 0 };
  return {
    get positionMs() {
      return positionMs;
    },
    takeUntil: async (instantMs) => {
      const taken: Departure[] = [];
      while (positionMs < instantMs) {
        if (block.next === block.rows.length && block.untilMs <= positionMs)
          block = await readBlock(engine, positionMs);
        for (; block.next < block.rows.length; block.next++) {
          const row = block.rows[block.next];
          if (row === undefined || row.reportedMs > instantMs) break;
          taken.push(row.departure);
        }
        positionMs = Math.min(instantMs, block.untilMs);
      }
      return taken;
    },
  };
}

async function readBlock(engine: Engine, fromMs: number) {
  const untilMs = fromMs + blockMs;
  const rows = await engine.rows(
    `select origin, destination, delay::int as delay, epoch_ms(date)::double as departed, epoch_ms(${reportedAt})::double as reported
     from '${flightsFile}'
     where ${reportedAt} > ${instant(fromMs)} and ${reportedAt} <= ${instant(untilMs)}
     order by reported, departed, origin, destination, delay, distance`,
  );
  return {
    untilMs,
    next: 0,
    rows: rows.map((row) => ({
      reportedMs: Number(row.reported),
      departure: {
        origin: String(row.origin),
        destination: String(row.destination),
        delay: Number(row.delay),
        at: Number(row.departed),
      },
    })),
  };
}
