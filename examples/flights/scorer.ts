import { renameSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { connectTributary, type Tributary } from "@tributary/client/connect";
import { asTributaryError } from "@tributary/shared/contracts/errors";
import type { WriteToken } from "@tributary/shared/contracts/write";
import { commonOptions, text } from "@tributary/shared/runtime/config";
import { runService } from "@tributary/shared/runtime/run-service";
import { congestion, tower } from "./definitions.ts";

/**
 * A separate model, as a process of its own: it reads what leaves the large airports now, and writes how congested each is.
 * While the mesh's clock stands still it writes nothing, since nothing can have changed.
 */
export interface ScorerReport {
  readonly writes: number;
  /** Airport → the last accepted score and its token. */
  readonly last: Readonly<Record<string, { readonly score: number; readonly token: WriteToken }>>;
}

const airports = [
  "ORD",
  "LAX",
  "DFW",
  "ATL",
  "PHX",
  "DEN",
  "STL",
  "LAS",
  "IAH",
  "SFO",
  "MSP",
  "DTW",
  "BOS",
  "JFK",
  "SEA",
  "MIA",
];
const roundMs = 500;

const options = {
  ...commonOptions,
  reportFile: { env: "SCORER_REPORT", schema: text.string, help: "file that tells how many scores were accepted" },
} as const;

await runService({
  name: "scorer",
  description: "example: scores congestion per airport and writes it through the direct lane",
  options,
  start: async (config, { logger }) => {
    const tributary = await connectTributary({ natsUrl: config.natsUrl });
    const rounds = startRounds(tributary, config.reportFile, (why) => logger.warn({ why }, "round given up"));
    return {
      failed: rounds.done,
      stop: async () => {
        await rounds.stop();
        await tributary.close();
      },
    };
  },
});

function startRounds(tributary: Tributary, reportFile: string, onFailure: (why: string) => void) {
  let stopping = false;
  let report: ScorerReport = { writes: 0, last: {} };
  let seenMs = 0;
  const work = (async () => {
    while (!stopping) {
      try {
        const { nowMs } = await tributary.readReply(tower, [{ code: "ORD" }]);
        if (nowMs > seenMs) report = await scoreOnce(tributary, report);
        seenMs = nowMs;
        writeReport(reportFile, report);
      } catch (error) {
        onFailure(asTributaryError(error).code);
      }
      await sleep(roundMs);
    }
  })();
  return {
    done: work.then(() => new Promise<never>(() => {})),
    stop: () => {
      stopping = true;
      return work;
    },
  };
}

async function scoreOnce(tributary: Tributary, report: ScorerReport): Promise<ScorerReport> {
  const rows = await tributary.read(
    tower,
    airports.map((code) => ({ code })),
  );
  const scored = rows.map((row, i) => ({
    code: airports[i] as string,
    score: scoreOf(row.departures_1h ?? 0, row.delayMean_1h ?? 0),
  }));
  const reply = await tributary.write(
    congestion,
    scored.map(({ code, score }) => ({ key: { code }, features: { score, reason: score > 0.7 ? "busy" : "calm" } })),
  );
  const last = { ...report.last };
  reply.outcomes.forEach((outcome, i) => {
    const one = scored[i];
    if (one !== undefined && outcome.kind === "accepted") last[one.code] = { score: one.score, token: outcome.token };
  });
  return { writes: report.writes + reply.accepted, last };
}

/** Many departures and long delays make a crowded airport; in [0, 1]. */
function scoreOf(departures: number, delayMean: number): number {
  return Math.min(1, Math.max(0, departures / 120 + delayMean / 240));
}

function writeReport(file: string, report: ScorerReport): void {
  writeFileSync(`${file}.tmp`, JSON.stringify(report));
  renameSync(`${file}.tmp`, file);
}
