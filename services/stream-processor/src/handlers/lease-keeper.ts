import { performance } from "node:perf_hooks";
import { acquireLease, releaseLease, renewLeases, type SqlQuery } from "@tributary/shared/runtime/lease";
import type { Logger } from "@tributary/shared/runtime/logger";
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

/**
 * Takes the wanted leases that are free, renews those held in one statement every third of their life, and ends the work of
 * those lost. What is decided here saves double work only: the fence in every commit is what keeps a late owner harmless.
 */
export class LeaseKeeper {
  readonly #options: LeaseKeeperOptions;
  readonly #held = new Map<string, Held>();
  readonly #barred = new Set<string>();
  #wanted: ReadonlySet<string> = new Set();
  #renewedAtMs = 0;
  #timer: NodeJS.Timeout | undefined;
  #turn: Promise<void> = Promise.resolve();
  #isStopped = false;

  constructor(options: LeaseKeeperOptions) {
    this.#options = options;
  }

  /** The names to hold from now on; work on others ends. */
  want(names: Iterable<string>): void {
    this.#wanted = new Set(names);
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
  }

  #schedule(afterMs: number): void {
    clearTimeout(this.#timer);
    if (this.#isStopped) return;
    this.#timer = setTimeout(() => {
      this.#turn = this.#turn.then(() => this.#run());
    }, afterMs);
  }

  async #run(): Promise<void> {
    try {
      await this.#renew();
      await this.#dropUnwanted();
      await this.#takeFree();
    } catch (error) {
      this.#options.logger.warn({ err: error }, "leases could not be renewed; trying again");
    }
    this.#schedule(this.#options.ttlMs / 3);
  }

  async #renew(): Promise<void> {
    if (this.#held.size === 0) return;
    const startedMs = performance.now();
    const leases = [...this.#held.values()].map(({ lease }) => lease);
    const kept = await renewLeases(this.#options.query, leases, this.#options.ttlMs);
    this.#renewedAtMs = startedMs;
    for (const { name } of leases.filter((lease) => !kept.has(lease.name))) {
      this.#options.logger.warn({ lease: name }, "another instance has taken over");
      await this.#end(name, { release: false });
    }
  }

  async #dropUnwanted(): Promise<void> {
    for (const name of [...this.#held.keys()]) if (!this.#wanted.has(name)) await this.#end(name, { release: true });
  }

  async #takeFree(): Promise<void> {
    for (const name of this.#wanted) {
      if (this.#isStopped) return;
      if (this.#held.has(name) || this.#barred.has(name)) continue;
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
    if (release)
      await releaseLease(this.#options.query, held.lease).catch((error) => this.#onReleaseFailed(name, error));
  }

  #onReleaseFailed(name: string, error: unknown): void {
    this.#options.logger.warn({ lease: name, err: error }, "not released; it runs out by itself");
  }
}
