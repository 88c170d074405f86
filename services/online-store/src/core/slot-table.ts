import { hashSlot, slotCount } from "./hash-slot.ts";

/** Which master of a cluster holds which slot, as one of its nodes told it. */
export interface SlotTable {
  /** Greatest epoch that the node had heard of: of two tables the one with the greater is the newer. */
  readonly clusterEpoch: number;
  /** `host:port` of each master that holds a slot, in order. */
  readonly masters: readonly string[];
  /** Undefined: nobody holds it. */
  ownerOf(key: string): string | undefined;
}

export const noTable: SlotTable = { clusterEpoch: -1, masters: [], ownerOf: () => undefined };

/**
 * @param info reply of `CLUSTER INFO`
 * @param slots reply of `CLUSTER SLOTS`: [first slot, last slot, [host, port, …] of the master, replicas …] for each range
 * @param askedHost for masters that are told without a host: it is that of the node that was asked
 */
export function readSlotTable(info: string, slots: unknown, askedHost: string): SlotTable {
  const owners = new Array<string | undefined>(slotCount);
  const masters = new Set<string>();
  for (const [first, last, [host, port]] of slots as [number, number, [string | null, number]][]) {
    const address = addressOf(host === null || host === "" ? askedHost : host, port);
    owners.fill(address, first, last + 1);
    masters.add(address);
  }
  const clusterEpoch = Number(/^cluster_current_epoch:(\d+)/m.exec(info)?.[1] ?? 0);
  return { clusterEpoch, masters: [...masters].sort(), ownerOf: (key) => owners[hashSlot(key)] };
}

export function addressOf(host: string, port: number): string {
  return `${host}:${port}`;
}

/** The newest of what several nodes told; `known` where none told anything. */
export function newestTable(known: SlotTable, told: readonly SlotTable[]): SlotTable {
  const [first, ...others] = told;
  if (first === undefined) return known;
  return others.reduce((a, b) => (b.clusterEpoch > a.clusterEpoch ? b : a), first);
}
