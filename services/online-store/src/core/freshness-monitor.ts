import type { Lane, View } from "@tributary/shared/contracts/catalog";
import { DurationCounter } from "@tributary/shared/contracts/duration-histogram";
import type { ViewFreshness } from "@tributary/shared/contracts/freshness";

/** Views followed at once, about 600 bytes each; of further ones nothing is counted. */
const viewsMax = 1_000;

/** What of a view is needed to count for it. */
export type MonitoredView = Pick<View, "lane" | "freshnessMs"> & { readonly view: string };

/** A cell as a reader saw it. */
export interface SeenCell {
  /** null: nothing is stored. */
  readonly ageMs: number | null;
  readonly fresh: boolean;
}

/** Counts, since the start, how fresh views are when they are read and how long their rows take to be readable. */
export class FreshnessMonitor {
  readonly #views = new Map<string, Counts>();

  sawCell(view: MonitoredView, { ageMs, fresh }: SeenCell): void {
    const counts = this.#countsOf(view);
    if (counts === undefined) return;
    counts.freshnessMs = view.freshnessMs;
    if (ageMs === null) counts.absent += 1;
    else counts.ages.add(ageMs);
    if (fresh) counts.met += 1;
    else if (ageMs !== null) counts.missed += 1;
  }

  /** @param latencyMs from the broker's taking the chunk until its rows are readable, real ms */
  becameReadable(view: MonitoredView, latencyMs: number): void {
    this.#countsOf(view)?.latencies.add(latencyMs);
  }

  /** Forgets views that are no longer defined, or have gone to another lane. */
  keep(views: Readonly<Record<string, View>>): void {
    for (const [name, { lane }] of this.#views) if (views[name]?.lane !== lane) this.#views.delete(name);
  }

  /** Of the views that were read or written. */
  read(): readonly ViewFreshness[] {
    return [...this.#views].map(([view, { lane, freshnessMs, met, missed, absent, ages, latencies }]) => {
      return { view, lane, freshnessMs, met, missed, absent, ages: ages.read(), latencies: latencies.read() };
    });
  }

  #countsOf({ view, lane, freshnessMs }: MonitoredView): Counts | undefined {
    const known = this.#views.get(view);
    if (known?.lane === lane || (known === undefined && this.#views.size >= viewsMax)) return known;
    const counts = { lane, freshnessMs, met: 0, missed: 0, absent: 0, ages: new DurationCounter() };
    const made = { ...counts, latencies: new DurationCounter() };
    this.#views.set(view, made);
    return made;
  }
}

interface Counts {
  readonly lane: Lane;
  freshnessMs: number;
  met: number;
  missed: number;
  absent: number;
  readonly ages: DurationCounter;
  readonly latencies: DurationCounter;
}
