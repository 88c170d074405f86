import { setTimeout as pause } from "node:timers/promises";
import { knowingShapes, redisShapes } from "@tributary/online-store/adapters/redis-shapes";
import { readCells } from "@tributary/online-store/core/cell-merge";
import { confirmationId } from "@tributary/online-store/core/confirmation";
import { decodeRecord } from "@tributary/online-store/core/record";
import { storeKeys } from "@tributary/online-store/core/store-keys";
import { TributaryError } from "@tributary/shared/contracts/errors";
import { compareVersions } from "@tributary/shared/contracts/version";
import type { Cell } from "@tributary/shared/merge/cell";
import { Redis } from "ioredis";
import { type Best, cellIdOf } from "./accepted.ts";
import { featureServiceName } from "./definitions.ts";
import type { Producer } from "./producer.ts";
import type { KillRig } from "./rig.ts";

/** What was seen that must not be, as sentences; bounded. */
export interface Findings {
  readonly regressions: string[];
  readonly confirmedAhead: string[];
}

const everyMs = 15;
const findingsMax = 1_000;

/** Looks all the time: at the records themselves, at what counts as confirmed, and at what the stores answer. */
export class Watcher {
  #findings: Findings = { regressions: [], confirmedAhead: [] };
  readonly #rig: KillRig;
  readonly #producers: readonly Producer[];
  readonly #redis: Redis;
  readonly #shapes: ReturnType<typeof redisShapes>;
  readonly #running: Promise<unknown>;
  #isStopped = false;
  #seen: ReadonlyMap<string, Cell> = new Map();

  constructor(rig: KillRig, producers: readonly Producer[]) {
    this.#rig = rig;
    this.#producers = producers;
    this.#redis = new Redis(rig.redisUrl);
    this.#shapes = redisShapes(this.#redis);
    this.#running = Promise.all([this.#watchRecords(), this.#watchReads()]);
    this.#running.catch(() => undefined); // `stop` tells
  }

  /** @throws Error what kept it from looking */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#running.finally(() => this.#redis.disconnect());
  }

  /** What was found since the last time. */
  take(): Findings {
    const found = this.#findings;
    this.#findings = { regressions: [], confirmedAhead: [] };
    return found;
  }

  /** Whether any confirmation of this view and partition counts. */
  async isConfirmed({ partition, view }: Producer): Promise<boolean> {
    return (await this.#redis.hexists(storeKeys.confirmed(partition), confirmationId(view.name, 1))) === 1;
  }

  /** Cells of the records as they stand now. */
  async cells(keys: readonly string[]): Promise<Map<string, Cell>> {
    const stored = await this.#redis.mgetBuffer(...keys);
    const found = new Map<string, Cell>();
    for (const [i, key] of keys.entries()) {
      const bytes = stored[i] ?? null;
      if (bytes === null) continue;
      const { sections } = await knowingShapes(this.#shapes, [key], () => decodeRecord(bytes, this.#shapes));
      for (const section of sections.values())
        for (const cell of readCells(section)) found.set(cellIdOf(key, section.shape.view, cell.feature), cell);
    }
    return found;
  }

  async #watchRecords(): Promise<void> {
    const keys = [...new Set(this.#producers.map((producer) => producer.recordKey))];
    while (!this.#isStopped) {
      const counted = await this.#countedConfirmations();
      const cells = await this.cells(keys);
      for (const [id, before] of this.#seen) {
        const now = cells.get(id);
        if (now === undefined || compareVersions(now.version, before.version) < 0)
          this.#note("regressions", `${id} went back in its record`);
      }
      this.#seen = cells;
      for (const { what, before } of counted)
        for (const id of missingOf(before, cells)) this.#note("confirmedAhead", `${what} counts without ${id}`);
      await pause(everyMs);
    }
  }

  /** Read before the records: what counts then must be there. */
  async #countedConfirmations(): Promise<{ readonly what: string; readonly before: Best }[]> {
    const counted = await Promise.all(
      this.#producers.map(async ({ view, partition, confirmations }) => {
        const text = await this.#redis.hget(storeKeys.confirmed(partition), confirmationId(view.name, 1));
        const found = confirmations.findLast((one) => one.confirmedAtMs <= Number(text ?? Number.NaN));
        return found === undefined ? [] : [{ what: `${view.name} in partition ${partition}`, before: found.before }];
      }),
    );
    return counted.flat();
  }

  async #watchReads(): Promise<void> {
    const keys = [...new Set(this.#producers.map((producer) => producer.recordKey))].map((key) => ({
      code: key.slice(key.lastIndexOf(":") + 1),
    }));
    let last: { readonly epoch: string; readonly eventTimes: ReadonlyMap<string, number> } | undefined;
    while (!this.#isStopped) {
      const reply = await this.#rig.read({ featureService: featureServiceName, keys, detail: true }).catch(duringKill);
      if (reply !== undefined) {
        const eventTimes = new Map<string, number>();
        for (const { name, eventTimes: times } of reply.columns)
          for (const [row, time] of (times ?? []).entries())
            if (time !== null) eventTimes.set(`${name} of row ${row}`, time);
        if (last !== undefined && last.epoch !== reply.epoch) this.#note("regressions", "the epoch changed");
        for (const [id, time] of eventTimes)
          if (time < (last?.eventTimes.get(id) ?? time)) this.#note("regressions", `${id} went back in a reply`);
        last = { epoch: reply.epoch, eventTimes: new Map([...(last?.eventTimes ?? []), ...eventTimes]) };
      }
      await pause(everyMs);
    }
  }

  #note(kind: keyof Findings, what: string): void {
    if (this.#findings[kind].length < findingsMax) this.#findings[kind].push(what);
  }
}

/** What is accepted and neither there nor beaten. */
export function missingOf(accepted: Best, cells: ReadonlyMap<string, Cell>): string[] {
  return [...accepted].flatMap(([id, { version }]) => {
    const cell = cells.get(id);
    return cell === undefined || compareVersions(cell.version, version) < 0 ? [id] : [];
  });
}

/** While a store dies, requests that it had taken go unanswered. */
function duringKill(error: unknown): undefined {
  if (error instanceof TributaryError && ["UNAVAILABLE", "DEADLINE"].includes(error.code)) return undefined;
  throw error;
}
