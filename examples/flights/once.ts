import { setTimeout as sleep } from "node:timers/promises";
import { listProcesses } from "@tributary/local/process-table";
import { asTributaryError } from "@tributary/shared/contracts/errors";
import type { BatchRunStatus, StreamStatus } from "@tributary/shared/contracts/status";
import { subjects } from "@tributary/shared/contracts/subjects";
import { runBatch } from "./batch-runs.ts";
import type { CheckResult } from "./check.ts";
import { checkInstantsMs, startMs } from "./dataset.ts";
import { boarding } from "./definitions.ts";
import { batchViews, type Feed } from "./feed.ts";
import { type Kill, killOnce, victims } from "./kills.ts";
import { type Mesh, startMesh } from "./mesh.ts";
import { askJson, settled } from "./positions.ts";
import { prepare } from "./prepare.ts";
import { type Prober, startProber } from "./prober.ts";
import type { OnceSummary } from "./summary.ts";
import { checkScores, checkWindows } from "./window-check.ts";

/**
 * The whole story to a defined end: history, three lanes, recounts at paused instants, a rerun of the batch, and on request a
 * SIGKILL for each service in mid-work. Resolves with the summary after everything is stopped.
 */
export interface OnceOptions {
  readonly directory: string;
  readonly kill: boolean;
  readonly yes: boolean;
  readonly say: (line: string) => void;
  /** Rejects when a person wants to stop. */
  readonly interrupted: Promise<never>;
}

/** Simulated milliseconds a real millisecond, between the checks. */
const rate = 600;
const key = { origin: "ORD", destination: "LAX" };
/** How far into a stretch of the replay a service is killed, real ms. */
const killAfterMs = 3_000;

export async function runOnce(options: OnceOptions): Promise<OnceSummary> {
  const beganMs = Date.now();
  const mesh = await startMesh({ ...options, keep: false });
  try {
    const story = await Promise.race([tell(mesh, options, beganMs), options.interrupted, mesh.services.failed]);
    await mesh.stop();
    const left = listProcesses(options.directory).length;
    return { ...story, ok: story.ok && left === 0, seconds: { ...story.seconds, total: secondsSince(beganMs) } };
  } catch (error) {
    await mesh.stop();
    throw error;
  }
}

async function tell(mesh: Mesh, options: OnceOptions, beganMs: number): Promise<OnceSummary> {
  const { say } = options;
  const { feed, firstRuns } = await prepare(mesh, say);
  await settled(mesh.connection, startMs);
  await mesh.client.read(boarding, [key]);
  const toFirstRead = secondsSince(beganMs);
  say(`read      first vector after ${toFirstRead} s`);
  const prober = startProber(mesh);
  const kills: Kill[] = [];
  const checks: CheckResult[] = [];
  for (const [index, instantMs] of checkInstantsMs.entries()) {
    const victimsNow = options.kill ? victims.filter((_, i) => i % checkInstantsMs.length === index) : [];
    const stop = await advance(mesh, feed, { instantMs, victims: victimsNow, say });
    kills.push(...stop.kills);
    checks.push(await checkAndTell(mesh, stop.stoodAtMs, say));
  }
  await feed.idle();
  const rerun = await rerunBatch(mesh, feed);
  const scores = await checkScores(mesh);
  await settled(mesh.connection, mesh.clock.now());
  await prober.stop();
  const mismatches = [...checks, scores].flatMap((check) => check.mismatches);
  for (const mismatch of mismatches.slice(0, 10)) say(`MISMATCH  ${JSON.stringify(mismatch)}`);
  for (const failure of failuresOutside(prober, kills).slice(0, 10)) say(`NO READ   ${JSON.stringify(failure)}`);
  return summaryOf(mesh, { feed, firstRun: firstRuns[0], rerun, checks, scores, prober, kills, toFirstRead });
}

/** What was seen on the way. */
interface Seen {
  readonly feed: Feed;
  readonly firstRun: BatchRunStatus | undefined;
  /** Rows that the rerun published. */
  readonly rerun: number;
  readonly checks: readonly CheckResult[];
  readonly scores: CheckResult;
  readonly prober: Prober;
  readonly kills: readonly Kill[];
  readonly toFirstRead: number;
}

async function summaryOf(mesh: Mesh, seen: Seen): Promise<OnceSummary> {
  const { feed, checks, scores, prober, kills } = seen;
  const [detail] = await mesh.client.read(boarding, [key], { detail: true });
  const { counters } = await askJson<StreamStatus>(mesh.connection, subjects.streamStatus);
  const outside = failuresOutside(prober, kills).length;
  const windowMismatches = checks.reduce((sum, check) => sum + check.mismatches.length, 0);
  return {
    ok: windowMismatches + scores.mismatches.length + seen.rerun + outside === 0,
    servers: mesh.servers.versions,
    batch: batchSummary(seen),
    stream: {
      events: feed.published,
      rejected: counters.eventsRejected,
      late: counters.eventsLate,
      windowsChecked: checks.reduce((sum, check) => sum + check.checked, 0),
      windowMismatches,
    },
    direct: {
      writes: mesh.scorerReport().writes,
      scoresChecked: scores.checked,
      scoreMismatches: scores.mismatches.length,
    },
    read: { service: boarding.name, key, features: detail ?? {} },
    killed: kills.map(({ name }) => name),
    downMs: Object.fromEntries(kills.map(({ name, fromMs, untilMs }) => [name, untilMs - fromMs])),
    reads: prober.reads,
    readsFailedDuringKill: prober.failures.length - outside,
    readsFailedOtherwise: outside,
    seconds: { toFirstRead: seen.toFirstRead, total: 0 },
  };
}

function batchSummary({ firstRun, rerun, feed }: Seen): OnceSummary["batch"] {
  const brief = ({ view, counts: { rows, published, unchanged } }: BatchRunStatus) => ({
    view,
    rows,
    published,
    unchanged,
  });
  const first = firstRun === undefined ? { view: "", rows: 0, published: 0, unchanged: 0 } : brief(firstRun);
  return { ...first, secondRunPublished: rerun, hourly: [...feed.lastRuns.values()].map(brief) };
}

/** Runs the clock to the next check, killing services on the way; everything is published when it stands still. */
async function advance(
  mesh: Mesh,
  feed: Feed,
  step: { instantMs: number; victims: readonly (typeof victims)[number][]; say: (line: string) => void },
): Promise<Stop> {
  let killing = step.victims.length > 0;
  const kills = (async () => {
    const done: Kill[] = [];
    for (const name of step.victims) {
      await sleep(killAfterMs);
      step.say(`kill      SIGKILL for ${name}`);
      const kill = await killOnce(mesh, name);
      step.say(`kill      ${name} is back after ${((kill.untilMs - kill.fromMs) / 1000).toFixed(1)} s`);
      done.push(kill);
    }
    killing = false;
    return done;
  })();
  await mesh.clock.run(rate);
  const paused = mesh.clock.pauseAt(step.instantMs);
  const [done, stoodAtMs] = await Promise.all([kills, paused, feed.follow(step.instantMs, () => false)]);
  if (killing) throw new Error("the clock stood still before every kill was done");
  await feed.publishUntil(stoodAtMs);
  await feed.idle();
  return { kills: done, stoodAtMs };
}

interface Stop {
  readonly kills: readonly Kill[];
  /** Where the clock stands: later than it was to, where the machine was too busy to stop it in time. */
  readonly stoodAtMs: number;
}

async function checkAndTell(mesh: Mesh, instantMs: number, say: (line: string) => void): Promise<CheckResult> {
  const check = await checkWindows(mesh, instantMs);
  say(
    `check     ${new Date(instantMs).toISOString()}: ${check.checked} windows recounted, ${check.mismatches.length} differ`,
  );
  return check;
}

/** Runs both batch views again for the interval that is published already: nothing may be published. */
async function rerunBatch(mesh: Mesh, feed: Feed): Promise<number> {
  let published = 0;
  for (const view of batchViews) {
    const intervalEndMs = feed.lastRuns.get(view)?.intervalEndMs ?? startMs;
    published += (await runBatch(mesh.connection, { view, intervalEndMs })).counts.published;
  }
  return published;
}

/** Reads that failed though the online store was there from their beginning to their end. */
function failuresOutside(prober: Prober, kills: readonly Kill[]) {
  const down = kills.filter((kill) => kill.name === "online-store");
  return prober.failures.filter(
    ({ fromMs, untilMs }) => !down.some((kill) => untilMs >= kill.fromMs && fromMs <= kill.untilMs),
  );
}

function secondsSince(ms: number): number {
  return Number(((Date.now() - ms) / 1000).toFixed(1));
}

/** The error of a failed run as the last line of `--json`. */
export function failureOf(error: unknown): { ok: false; error: { code: string; message: string } } {
  const { code, message } = asTributaryError(error);
  return { ok: false, error: { code, message } };
}
