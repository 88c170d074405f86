import { performance } from "node:perf_hooks";
import { acquireLease, type Lease, releaseLease, renewLeases, type SqlQuery } from "@tributary/shared/runtime/lease";
import type { Logger } from "@tributary/shared/runtime/logger";
import { instanceLease, readLeaseTable } from "../adapters/lease-table.ts";
import { fairShare } from "../core/fair-share.ts";
import { HandOver } from "../core/hand-over.ts";
import type { HeldLease, Worker } from "./parts.ts";

export interface LeaseKeeperOptions {
  readonly query: SqlQuery;
  readonly owner: string;
  readonly ttlMs: number;
  readonly logger: Logger;
  /** Begins the work of a lease just taken. */
  readonly start: (lease: HeldLease) => Worker;
  /** Called when a worker has ended by itself; true: its lease is to be taken again later. */
  readonly onEnded: (name: string, why: unknown) => boolean;
}

interface Held {
  readonly lease: HeldLease;
  readonly worker: Worker;
}

/** While leases are free or unevenly held. */
const unsettledMs = 250;

/**
 * Takes its share of the wanted leases, renews those held in one statement every third of their life, gives away one at a
 * time what is beyond the share, and ends the work of those lost. Instances know of each other by a lease of their own. What
 * is decided here saves double work only: the fence in every commit is what keeps a late owner harmless.
 */
export class LeaseKeeper {
  readonly #options: LeaseKeeperOptions;
  readonly #held = new Map<string, Held>();
  readonly #barred = new Set<string>();
  #handOver = new HandOver();
  /** Group → its leases: each group is shared out by itself. */
  #wanted: ReadonlyMap<string, readonly string[]> = new Map();
  #presence: Lease | undefined;
  #renewedAtMs = 0;
  #timer: NodeJS.Timeout | undefined;
  #turn: Promise<void> = Promise.resolve();
  #isStopped = false;

  constructor(options: LeaseKeeperOptions) {
    this.#options = options;
  }

  /** The names, by group, to share out from now on; work on others ends. */
  want(names: ReadonlyMap<string, readonly string[]>): void {
    this.#wanted = names;
    this.#handOver = new HandOver();
    this.#barred.clear();
    this.#schedule(0);
  }

  workers(): Worker[] {
    return [...this.#held.values()].map(({ worker }) => worker);
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    await this.#turn;
    await Promise.all([...this.#held.keys()].map((name) => this.#end(name, { release: true })));
    if (this.#presence) await this.#release(this.#presence);
  }

  #schedule(afterMs: number): void {
    clearTimeout(this.#timer);
    if (this.#isStopped) return;
    this.#timer = setTimeout(() => {
      this.#turn = this.#turn.then(() => this.#run());
    }, afterMs);
  }

  async #run(): Promise<void> {
    let isSettled = true;
    try {
      await this.#renew();
      await this.#dropUnwanted();
      isSettled = await this.#shareOut();
    } catch (error) {
      this.#options.logger.warn({ err: error }, "leases could not be renewed; trying again");
    }
    this.#schedule(isSettled ? this.#options.ttlMs / 3 : Math.min(this.#options.ttlMs / 3, unsettledMs));
  }

  async #renew(): Promise<void> {
    const { query, owner, ttlMs } = this.#options;
    const startedMs = performance.now();
    const leases = [...this.#held.values()].map(({ lease }) => lease);
    const kept = await renewLeases(query, [...leases, ...(this.#presence ? [this.#presence] : [])], ttlMs);
    this.#renewedAtMs = startedMs;
    if (!this.#presence || !kept.has(this.#presence.name))
      this.#presence = await acquireLease(query, instanceLease(owner), owner, ttlMs);
    for (const { name } of leases.filter((lease) => !kept.has(lease.name))) {
      this.#options.logger.warn({ lease: name }, "another instance has taken over");
      await this.#end(name, { release: false });
    }
  }

  async #dropUnwanted(): Promise<void> {
    const wanted = new Set([...this.#wanted.values()].flat());
    for (const name of [...this.#held.keys()]) if (!wanted.has(name)) await this.#end(name, { release: true });
  }

  /** False: leases are free or unevenly held. */
  async #shareOut(): Promise<boolean> {
    const { query, owner: me, ttlMs } = this.#options;
    const names = [...this.#wanted.values()].flat();
    const { holders, instances } = await readLeaseTable(query, names);
    const holderOf = (name: string) =>
      this.#held.has(name) ? me : holders.get(name) === me ? undefined : holders.get(name);
    let isSettled = true;
    for (const group of this.#wanted.values()) {
      const open = group.filter((name) => !this.#barred.has(name));
      const table = { me, holders: new Map(open.map((name) => [name, holderOf(name)])), instances };
      this.#handOver.observe(table, performance.now());
      const share = fairShare(table, (name) => this.#handOver.isFreeFor(name, ttlMs));
      isSettled &&= share.isSettled;
      await this.#take(share.take);
      if (share.giveAway !== undefined && this.#handOver.begin(share.giveAway, instances)) {
        this.#options.logger.info({ lease: share.giveAway, instances }, "handing over to another instance");
        await this.#end(share.giveAway, { release: true });
      }
    }
    return isSettled;
  }

  async #take(names: readonly string[]): Promise<void> {
    for (const name of names) {
      if (this.#isStopped) return;
      const startedMs = performance.now();
      const lease = await acquireLease(this.#options.query, name, this.#options.owner, this.#options.ttlMs);
      if (lease) this.#begin({ ...lease, isValid: () => this.#isValid(startedMs) });
    }
  }

  #isValid(takenAtMs: number): boolean {
    return performance.now() < Math.max(this.#renewedAtMs, takenAtMs) + this.#options.ttlMs;
  }

  #begin(lease: HeldLease): void {
    const worker = this.#options.start(lease);
    this.#held.set(lease.name, { lease, worker });
    void worker.ended.then((why) => this.#onEnded(lease, why));
  }

  #onEnded(lease: HeldLease, why: unknown): void {
    if (this.#held.get(lease.name)?.lease !== lease) return;
    this.#held.delete(lease.name);
    if (!this.#options.onEnded(lease.name, why)) this.#barred.add(lease.name);
  }

  async #end(name: string, { release }: { release: boolean }): Promise<void> {
    const held = this.#held.get(name);
    if (held === undefined) return;
    this.#held.delete(name);
    await held.worker.stop();
    if (release) await this.#release(held.lease);
  }

  async #release(lease: Lease): Promise<void> {
    await releaseLease(this.#options.query, lease).catch((error: unknown) => {
      this.#options.logger.warn({ lease: lease.name, err: error }, "not released; it runs out by itself");
    });
  }
}
