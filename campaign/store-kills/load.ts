import { setTimeout as pause } from "node:timers/promises";
import { defaultPartitions } from "@tributary/shared/contracts/catalog";
import { partitionOf } from "@tributary/shared/contracts/entity-key";
import { subjects } from "@tributary/shared/contracts/subjects";
import { loadViews } from "./definitions.ts";
import { Producer, type ProducerOptions } from "./producer.ts";

export type LoadOptions = Omit<ProducerOptions, "view" | "key">;

const busyKeys = 3;
const everyMs = 10;
const confirmEvery = 10;

/** Keys of as many partitions, one each. */
const keys = Array.from({ length: defaultPartitions }, (_, partition) => {
  for (let i = 0; ; i++) if (partitionOf(`A${i}`, defaultPartitions) === partition) return `A${i}`;
});

/**
 * Producers of every view for a few busy keys; for one more partition poison, and confirmations behind it that must never count; and in the
 * remaining partitions first writes, each of which brings a shape that its partition does not have.
 */
export class Load {
  readonly busy: readonly Producer[];
  readonly poisoned: Producer;
  readonly #fresh: Producer[];
  readonly #used: Producer[] = [];
  readonly #options: LoadOptions;

  constructor(options: LoadOptions) {
    this.#options = options;
    const producers = (some: readonly string[]) =>
      some.flatMap((key) => loadViews.map((view) => new Producer({ ...options, view, key })));
    this.busy = producers(keys.slice(0, busyKeys));
    const [poisoned, ...fresh] = producers(keys.slice(busyKeys));
    if (poisoned === undefined) throw new Error("no partition is left for poison");
    this.poisoned = poisoned;
    this.#fresh = fresh;
  }

  /** All that has ever written. */
  get producers(): readonly Producer[] {
    return [...this.busy, ...this.#used, this.poisoned];
  }

  get messages(): number {
    return this.producers.reduce((sum, { accepted }) => sum + accepted.messages, 0);
  }

  /** Publishes until told to stop; resolves when the last message is acknowledged. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all(
      this.busy.map(async (producer) => {
        for (let i = 1; !signal.aborted; i++) {
          await (i % confirmEvery === 0 ? producer.confirm() : producer.publishRows());
          await pause(everyMs);
        }
      }),
    );
  }

  async bait(kind: "fresh shape" | "poison"): Promise<void> {
    if (kind === "poison") return this.#poison();
    const producer = this.#fresh.shift();
    if (producer === undefined) return;
    this.#used.push(producer);
    await producer.publishRows();
  }

  async #poison(): Promise<void> {
    const { view, partition } = this.poisoned;
    const subject = subjects.rows(view.lane, partition, view.name);
    await this.#options.rig.publishBytes(subject, view.lane, new TextEncoder().encode("poison"));
    await this.poisoned.publishRows();
    await this.poisoned.confirm();
  }
}
