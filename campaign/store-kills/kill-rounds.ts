import { setTimeout as pause } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import type { Cell } from "@tributary/shared/merge/cell";
import { seededRandom } from "../../bench/seeded-random.ts";
import { type Best, recordKeyOf } from "./accepted.ts";
import type { Tally } from "./campaign.ts";
import type { Failpoint } from "./failpoints.ts";
import { Load } from "./load.ts";
import type { KillRig } from "./rig.ts";
import type { Trap } from "./trap.ts";
import { missingOf, Watcher } from "./watcher.ts";

export interface KillOptions {
  readonly rig: KillRig;
  readonly trap: Trap;
  readonly seed: number;
}

export type KillResult = Tally & { readonly wrong: readonly string[] };

const reachMsMax = 30_000;
const settleMsMax = 60_000;
const baitMs = 200;
const pollMs = 50;
/** What the stores do when one is back and there is work. */
const afterMs = 300;

/** Kills stores, one after the other, and looks after each kill at what is left. */
export class KillRounds {
  readonly #options: KillOptions;
  readonly #random: () => number;
  readonly #load: Load;
  readonly #watcher: Watcher;

  constructor(options: KillOptions) {
    this.#options = options;
    this.#random = seededRandom(options.seed);
    this.#load = new Load({ rig: options.rig, random: this.#random });
    this.#watcher = new Watcher(options.rig, this.#load.busy);
  }

  async kill(failpoint: Failpoint): Promise<KillResult> {
    const ackedBefore = this.#load.messages;
    const quiet = new AbortController();
    const loading = this.#load.run(quiet.signal);
    try {
      await this.#killAt(failpoint);
      await pause(afterMs);
    } finally {
      quiet.abort();
      await loading;
    }
    await this.#settle();
    return { kills: 1, acked: this.#load.messages - ackedBefore, ...(await this.#look()) };
  }

  /** @throws Error what kept the campaign from looking */
  stop(): Promise<void> {
    return this.#watcher.stop();
  }

  /** Resolves when the killed store's successor is ready. */
  async #killAt(failpoint: Failpoint): Promise<void> {
    const { trap, rig } = this.#options;
    let successor: Promise<void> | undefined;
    trap.arm(failpoint, 1 + Math.floor(this.#random() * failpoint.timesMax), (store) => {
      successor = rig.services.kill(store);
    });
    const deadline = performance.now() + reachMsMax;
    while (successor === undefined) {
      if (performance.now() > deadline) throw new Error(`no store came to ${failpoint.name} within ${reachMsMax} ms`);
      if (failpoint.bait !== undefined) await this.#load.bait(failpoint.bait);
      await pause(baitMs);
    }
    await successor;
  }

  async #settle(): Promise<void> {
    const deadline = performance.now() + settleMsMax;
    for (;;) {
      const status = await this.#options.rig.status().catch(() => undefined);
      if (status?.lanes.every((lane) => lane.floor === lane.lastSequence)) return;
      if (performance.now() > deadline) throw new Error(`not settled within ${settleMsMax} ms after a kill`);
      await pause(pollMs);
    }
  }

  async #look(): Promise<Omit<KillResult, "kills" | "acked">> {
    const accepted = this.#load.producers.flatMap((one) => [one.accepted.best, one.accepted.takeOnce()]);
    const keys = new Set(accepted.flatMap((best) => [...best.keys()].map(recordKeyOf)));
    const cells = await this.#watcher.cells([...keys]);
    const lost = accepted.flatMap((best) => lostOf(best, cells));
    const { regressions, confirmedAhead } = this.#watcher.take();
    if (await this.#watcher.isConfirmed(this.#load.poisoned))
      confirmedAhead.push("a confirmation behind poison counts");
    return {
      lost: lost.length,
      regressions: regressions.length,
      confirmedAhead: confirmedAhead.length,
      wrong: [...lost, ...regressions, ...confirmedAhead],
    };
  }
}

function lostOf(accepted: Best, cells: ReadonlyMap<string, Cell>): string[] {
  const changed = [...accepted].filter(([id, { value }]) => {
    const cell = cells.get(id);
    return cell !== undefined && !isDeepStrictEqual(cell.value, value);
  });
  const missing = missingOf(accepted, cells);
  return [...missing.map((id) => `${id} is lost`), ...changed.map(([id]) => `${id} has another value`)];
}
