import { expect } from "vitest";
import type { Fetch, RecordCache } from "../core/record-cache.ts";

/**
 * A cache between readers and a Redis that tracks what they read: two connections, each of which keeps its order and takes its
 * time. Of each key there is a version, counted up by writes; every fourth one is that there is no record.
 */
export class SimulatedTracking {
  readonly #cache: RecordCache;
  readonly #versions: number[];
  readonly #tracked = new Set<number>();
  /** Fetches on their way to the server, replies on their way back, and what the other connection carries. */
  readonly #requests: Asked[] = [];
  readonly #replies: Answered[] = [];
  readonly #told: Told[] = [];
  /** Fetches of this breath. */
  #announced = 0;
  /** The greatest version that a reader was given, and the one that a proof says must be known, by key. */
  readonly #given: number[];
  readonly #proven: number[];

  constructor(cache: RecordCache, keys: number) {
    this.#cache = cache;
    this.#versions = new Array<number>(keys).fill(0);
    this.#given = new Array<number>(keys).fill(0);
    this.#proven = new Array<number>(keys).fill(0);
  }

  write(key: number): void {
    this.#versions[key] = this.#version(key) + 1;
    this.forget(key);
  }

  /** The server's table is full: it says that the key has changed and remembers it no more. */
  forget(key: number): void {
    if (this.#tracked.delete(key)) this.#told.push({ kind: "changed", key });
  }

  empty(): void {
    for (const key of this.#versions.keys()) this.#versions[key] = this.#version(key) + 1;
    this.#tracked.clear();
    this.#told.push({ kind: "emptied" });
  }

  /** A ping over both connections. */
  ping(): void {
    this.#told.push({ kind: "proof", versions: [...this.#versions] });
  }

  /** From here on another breath of the readers' process. */
  breathe(): void {
    this.#announced = 0;
  }

  /** @param isFirst it is sent before the last one that was announced in the same breath */
  read(keys: readonly number[], { isLatest, isFirst }: { isLatest: boolean; isFirst: boolean }): void {
    const missing = keys.filter((key) => {
      const found = isLatest ? undefined : this.#cache.find(nameOf(key));
      if (found !== undefined) this.#checkHit(key, found);
      return found === undefined;
    });
    if (missing.length === 0) return;
    const asked = { keys: missing, fetch: this.#cache.announce(missing.map(nameOf)) };
    this.#requests.splice(isFirst && this.#announced > 0 ? -1 : this.#requests.length, 0, asked);
    this.#announced += 1;
  }

  execute(): void {
    const asked = this.#requests.shift();
    if (asked === undefined) return;
    for (const key of asked.keys) this.#tracked.add(key);
    this.#replies.push({ ...asked, versions: asked.keys.map((key) => this.#version(key)) });
  }

  /** @param place of the reply; later than 0: work on an earlier one is still going on */
  receive(place: number): void {
    const [answered] = this.#replies.splice(Math.min(place, this.#replies.length - 1), 1);
    if (answered === undefined) return;
    const { keys, versions, fetch } = answered;
    this.#cache.keep(fetch, versions.map(recordOf));
    for (const [i, key] of keys.entries()) this.#give(key, versions[i] ?? 0);
  }

  hear(): void {
    const told = this.#told.shift();
    if (told?.kind === "changed") this.#cache.invalidate(nameOf(told.key));
    if (told?.kind === "emptied") this.#cache.flush();
    if (told?.kind === "proof") for (const [key, version] of told.versions.entries()) this.#proven[key] = version;
  }

  /** Both connections are lost and made anew. */
  lose(): void {
    this.#cache.flush();
    for (const { fetch } of [...this.#requests, ...this.#replies]) this.#cache.abandon(fetch);
    for (const queue of [this.#requests, this.#replies, this.#told]) queue.length = 0;
    this.#tracked.clear();
  }

  /** Everything arrives; then what is held is what the server has, and nothing is remembered of what was fetched. */
  settle(): void {
    while (this.#requests.length > 0) this.execute();
    while (this.#replies.length > 0) this.receive(0);
    while (this.#told.length > 0) this.hear();
    expect(this.#cache.fetching).toBe(0);
    for (const [key, version] of this.#versions.entries()) {
      const held = this.#cache.find(nameOf(key));
      if (held !== undefined) expect(held, `${nameOf(key)} at rest`).toEqual(recordOf(version));
    }
  }

  #checkHit(key: number, record: Buffer | null): void {
    const proven = this.#proven[key] ?? 0;
    const given = this.#given[key] ?? 0;
    const version = record === null ? absentFrom(Math.max(proven, given)) : record.readUInt32LE();
    expect(version, `${nameOf(key)}: not older than proven`).toBeGreaterThanOrEqual(proven);
    expect(version, `${nameOf(key)}: not older than given before`).toBeGreaterThanOrEqual(given);
    expect(version, `${nameOf(key)}: not newer than what the server has`).toBeLessThanOrEqual(this.#version(key));
    this.#give(key, version);
  }

  #give(key: number, version: number): void {
    this.#given[key] = Math.max(this.#given[key] ?? 0, version);
  }

  #version(key: number): number {
    return this.#versions[key] ?? 0;
  }
}

interface Asked {
  readonly keys: readonly number[];
  readonly fetch: Fetch;
}

interface Answered extends Asked {
  readonly versions: readonly number[];
}

type Told =
  | { readonly kind: "changed"; readonly key: number }
  | { readonly kind: "emptied" }
  | { readonly kind: "proof"; readonly versions: readonly number[] };

const nameOf = (key: number): string => `key-${key}`;

const absentEvery = 4;
const absent = 3;

function recordOf(version: number): Buffer | null {
  if (version % absentEvery === absent) return null;
  const record = Buffer.alloc(4 + (version % 7) * 300);
  record.writeUInt32LE(version);
  return record;
}

/**
 * Absent records look all alike. The first version from here on that may be the one that was seen: any later one would say that the
 * reader knows more than it does.
 */
function absentFrom(version: number): number {
  return version + ((absent - (version % absentEvery) + absentEvery) % absentEvery);
}
