import type { CampaignContext, Failure } from "../campaign.ts";
import { type Failpoint, failpoints } from "./failpoints.ts";
import { type KillResult, KillRounds } from "./kill-rounds.ts";
import { startKillRig } from "./rig.ts";
import { Trap } from "./trap.ts";

/** What came of the kills at one failpoint. */
export interface Tally {
  kills: number;
  /** Messages that the broker acknowledged to the campaign. */
  acked: number;
  /** Cells of them that are neither there nor beaten. */
  lost: number;
  regressions: number;
  confirmedAhead: number;
}

const shownMax = 10;

export async function run(context: CampaignContext): Promise<Failure | undefined> {
  const { seed, count, tell } = context;
  const tallies = new Map<Failpoint, Tally>();
  const wrong: string[] = [];
  try {
    await killAll(context, (failpoint, found) => {
      wrong.push(...found.wrong.map((what) => `${failpoint.name}: ${what}`));
      tallies.set(failpoint, sum(tallies.get(failpoint), found));
    });
  } catch (error) {
    wrong.push(error instanceof Error ? (error.stack ?? error.message) : String(error));
  }
  for (const failpoint of failpoints) tell({ failpoint: failpoint.name, ...(tallies.get(failpoint) ?? none) });
  if (wrong.length === 0) return undefined;
  return { why: wrong.slice(0, shownMax).join("\n"), repeat: `--seed ${seed} --kills ${count}` };
}

/** Prime to the number of failpoints, so that they all have their turn; a few kills are then of different kinds. */
const stride = 3;

async function killAll(
  { seed, count, signal, progress }: CampaignContext,
  hear: (failpoint: Failpoint, found: KillResult) => void,
): Promise<void> {
  const trap = new Trap();
  const rig = await startKillRig(trap);
  try {
    const rounds = new KillRounds({ rig, trap, seed });
    for (let done = 0; done < count && !signal.aborted; done++) {
      const failpoint = failpoints[(seed + stride * done) % failpoints.length] as Failpoint;
      hear(failpoint, await rounds.kill(failpoint));
      progress(done + 1);
    }
    await rounds.stop();
  } finally {
    await rig.stop();
  }
}

const none: Tally = { kills: 0, acked: 0, lost: 0, regressions: 0, confirmedAhead: 0 };

function sum(before: Tally = none, { kills, acked, lost, regressions, confirmedAhead }: Tally): Tally {
  return {
    kills: before.kills + kills,
    acked: before.acked + acked,
    lost: before.lost + lost,
    regressions: before.regressions + regressions,
    confirmedAhead: before.confirmedAhead + confirmedAhead,
  };
}
