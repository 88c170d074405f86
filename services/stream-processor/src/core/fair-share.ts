/**
 * Who should hold which leases, decided by each instance for itself from the same table. Inside a group (routes, partitions)
 * an instance takes free ones up to its share, ceil(leases / live instances), and gives one away at a time while it holds
 * more. What stays free for long it takes beyond its share: whoever should have it does not.
 */
export interface LeaseTable {
  readonly me: string;
  /** Every lease of the group → who holds it; undefined: free. */
  readonly holders: ReadonlyMap<string, string | undefined>;
  /** Live ones, this one with them. */
  readonly instances: number;
}

export interface Standing {
  /** Free leases to take, in this order, as far as they are still free. */
  readonly take: readonly string[];
  /** A lease to give away. */
  readonly giveAway: string | undefined;
  /** False while leases are free or somebody holds more than a share: look again soon. */
  readonly isSettled: boolean;
}

export function fairShare({ me, holders, instances }: LeaseTable, isLongFree: (name: string) => boolean): Standing {
  const share = Math.ceil(holders.size / Math.max(1, instances));
  const held = countByHolder(holders);
  const mine = held.get(me) ?? 0;
  const free = [...holders].filter(([, holder]) => holder === undefined).map(([name]) => name);
  const room = Math.max(0, share - mine);
  return {
    take: [...free.slice(0, room), ...free.slice(room).filter(isLongFree)],
    giveAway: mine > share ? [...holders].findLast(([, holder]) => holder === me)?.[0] : undefined,
    isSettled: free.length === 0 && [...held.values()].every((count) => count <= share),
  };
}

function countByHolder(holders: LeaseTable["holders"]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const holder of holders.values()) if (holder !== undefined) counts.set(holder, (counts.get(holder) ?? 0) + 1);
  return counts;
}
