import { recordKey } from "@tributary/online-store/core/store-keys";
import { defaultPartitions } from "@tributary/shared/contracts/catalog";
import { type RowsChunk, tombstone } from "@tributary/shared/contracts/chunk";
import { partitionOf } from "@tributary/shared/contracts/entity-key";
import type { Version } from "@tributary/shared/contracts/version";
import { Accepted, type Best, cellIdOf, type IdentifiedCell } from "./accepted.ts";
import { catalog, entityName, type LoadView } from "./definitions.ts";
import type { KillRig } from "./rig.ts";

/** A confirmation, and what was acknowledged before it in its lane, view and partition. */
export interface Confirmed {
  readonly confirmedAtMs: number;
  readonly before: Best;
}

export interface ProducerOptions {
  readonly rig: KillRig;
  readonly view: LoadView;
  readonly key: string;
  readonly random: () => number;
}

const startMs = Date.now() - 600_000;
const rowsMax = 3;
const eventTimes = 10_000;

/**
 * Writes one key of one view, one message after the other: each is acknowledged before the next goes out, so what lies before a
 * confirmation is known. Event times are random, so most rows are beaten when they come; therefore each message also brings a row of a
 * key that is written only once.
 */
export class Producer {
  readonly view: LoadView;
  readonly partition: number;
  readonly recordKey: string;
  readonly accepted = new Accepted();
  readonly confirmations: Confirmed[] = [];
  readonly #options: ProducerOptions;
  #stamps = 0;
  #onceKeys = 0;

  constructor(options: ProducerOptions) {
    this.#options = options;
    this.view = options.view;
    this.partition = partitionOf(options.key, defaultPartitions);
    this.recordKey = recordKey(this.partition, entityName, options.key);
  }

  async publishRows(): Promise<void> {
    const chunk = this.#chunk();
    const { sequence } = await this.#options.rig.publish(chunk);
    const cells = chunk.keys.map((_, row) => this.#cellsOf(chunk, row, sequence));
    this.accepted.add(cells.slice(0, -1).flat(), cells.at(-1));
  }

  async confirm(): Promise<void> {
    const confirmedAtMs = startMs + this.confirmations.length + 1;
    this.confirmations.push({ confirmedAtMs, before: new Map(this.accepted.best) });
    await this.#options.rig.publish({ ...this.#header(), kind: "confirm", confirmedAtMs });
    this.accepted.add([]);
  }

  /** Of the same partition. */
  #keyForOnce(): string {
    for (;;) {
      this.#onceKeys += 1;
      const key = `${this.view.name}-${this.#onceKeys}`;
      if (partitionOf(key, defaultPartitions) === this.partition) return key;
    }
  }

  #header() {
    const { name: view, lane } = this.view;
    const { partition } = this;
    return { lane, view, viewVersion: 1, catalogVersion: catalog.version, partition, producer: "campaign" } as const;
  }

  #chunk(): RowsChunk {
    const { random, key } = this.#options;
    const rows = Array.from(
      { length: 1 + Math.floor(random() * rowsMax) },
      () => startMs + Math.floor(random() * eventTimes),
    );
    const first = this.#stamps + 1;
    this.#stamps += rows.length;
    const stamps = {
      incarnations: rows.map(() => 1),
      sequences: rows.map((_, row) => first + row),
      minors: rows.map(() => 0),
    };
    return {
      ...this.#header(),
      kind: "rows",
      keys: rows.map((_, row) => (row === rows.length - 1 ? this.#keyForOnce() : key)),
      eventTimes: rows,
      ...(this.view.lane !== "direct" && { stamps }),
      columns: this.view.features.map((feature) => ({ feature, cells: rows.map(() => this.#cell(feature)) })),
    };
  }

  #cell(feature: string) {
    const chance = this.#options.random();
    if (chance < 0.3) return undefined;
    if (chance < 0.4) return tombstone;
    if (chance < 0.5) return null;
    const number = Math.floor(this.#options.random() * 1_000);
    return feature === "reason" ? `reason ${number}` : number;
  }

  #cellsOf(chunk: RowsChunk, row: number, sequence: number): IdentifiedCell[] {
    const record = recordKey(this.partition, entityName, chunk.keys[row] ?? "");
    const version: Version = {
      eventTime: chunk.eventTimes[row] ?? 0,
      incarnation: chunk.stamps?.incarnations[row] ?? this.#options.rig.incarnations.get(this.view.lane) ?? 0,
      sequence: chunk.stamps?.sequences[row] ?? sequence,
      minor: chunk.stamps === undefined ? row : 0,
    };
    return chunk.columns.flatMap(({ feature, cells }) => {
      const value = cells[row];
      return value === undefined ? [] : [[cellIdOf(record, this.view.name, feature), { version, value }] as const];
    });
  }
}
