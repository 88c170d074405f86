/**
 * Records that reads have fetched, kept in the process until something says that they have changed. Bounded in bytes; what has
 * not been asked for since the hand of a clock last passed it is the first to go.
 *
 * Invalidations and replies come over two connections, so that either may overtake the other. Hence a fetch is announced
 * before it is sent: an invalidation or a flush in between parts it from the cache, and what it brings is not kept.
 *
 * Of fetches of one key that are under way at once nobody knows here which one Redis has answered last: where they bring
 * different records, none is kept. So what is held of a key is what the newest fetch of it brought, or nothing: a read never finds
 * here what is older than something that an earlier read was given.
 */
export class RecordCache {
  readonly bytesMax: number;
  readonly counters: CacheCounters = {
    hits: 0,
    misses: 0,
    invalidations: 0,
    flushes: 0,
    droppedFills: 0,
    evictions: 0,
  };
  #entries = new Map<string, Entry>();
  #flights = new Map<string, Flight>();
  #hand: Iterator<[string, Entry]> = this.#entries.entries();
  #bytes = 0;

  /** @param bytesMax of all that is held, keys and bookkeeping included */
  constructor(bytesMax: number) {
    this.bytesMax = bytesMax;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get records(): number {
    return this.#entries.size;
  }

  /** Keys that are being fetched. */
  get fetching(): number {
    return this.#flights.size;
  }

  /** The record's bytes; null: there is none; undefined: not known here. Nobody may write into them. */
  find(key: string): Buffer | null | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) {
      this.counters.misses += 1;
      return undefined;
    }
    this.counters.hits += 1;
    entry.isUsed = true;
    return entry.record;
  }

  /** Before the keys are asked for. Every fetch must end in `keep` or `abandon`. */
  announce(keys: readonly string[]): Fetch {
    return { keys, flights: keys.map((key) => this.#board(key)) };
  }

  /** Takes over what a fetch has brought, in the order of its keys. The bytes are copied. */
  keep(fetch: Fetch, records: readonly (Buffer | null)[]): void {
    for (const [i, key] of fetch.keys.entries()) {
      const flight = fetch.flights[i] as Flight;
      const record = records[i] ?? null;
      if (!this.#leave(key, flight)) this.counters.droppedFills += 1;
      else if (flight.brought === undefined) {
        flight.brought = record;
        this.#put(key, record);
      } else if (!isSame(flight.brought, record)) {
        // It has changed in between, and which of the two is the newer one cannot be told.
        this.counters.droppedFills += 1;
        this.#part(key);
      }
    }
  }

  /** The fetch has brought nothing. */
  abandon({ keys, flights }: Fetch): void {
    for (const [i, key] of keys.entries()) this.#leave(key, flights[i] as Flight);
  }

  /** The record has changed, or may have. */
  invalidate(key: string): void {
    if (this.#part(key)) this.counters.invalidations += 1;
  }

  /** Any record may have changed. */
  flush(): void {
    this.counters.flushes += 1;
    this.#flights = new Map();
    this.#entries = new Map();
    this.#hand = this.#entries.entries();
    this.#bytes = 0;
  }

  #board(key: string): Flight {
    const flight = this.#flights.get(key);
    if (flight === undefined) {
      const first = { fetches: 1, brought: undefined };
      this.#flights.set(key, first);
      return first;
    }
    flight.fetches += 1;
    return flight;
  }

  /** Whether the flight was not parted from the cache. */
  #leave(key: string, flight: Flight): boolean {
    if (this.#flights.get(key) !== flight) return false;
    flight.fetches -= 1;
    if (flight.fetches === 0) this.#flights.delete(key);
    return true;
  }

  /** Nothing is held of the key, and nothing that is under way will be. Whether there was something. */
  #part(key: string): boolean {
    const wasInFlight = this.#flights.delete(key);
    return this.#remove(key) || wasInFlight;
  }

  #put(key: string, record: Buffer | null): void {
    this.#remove(key);
    const bytes = bytesOf(key, record);
    if (bytes > this.bytesMax) return;
    while (this.#entries.size > 0 && this.#bytes + bytes > this.bytesMax) this.#evictOne();
    this.#entries.set(key, { record: record && ownCopy(record), isUsed: false });
    this.#bytes += bytes;
  }

  #remove(key: string): boolean {
    const entry = this.#entries.get(key);
    if (entry === undefined) return false;
    this.#entries.delete(key);
    this.#bytes -= bytesOf(key, entry.record);
    return true;
  }

  /** The hand goes on from where it was; what has been used since it last came by is spared once. */
  #evictOne(): void {
    for (;;) {
      const next = this.#hand.next();
      if (next.done) {
        this.#hand = this.#entries.entries();
        continue;
      }
      const [key, entry] = next.value;
      if (!entry.isUsed) {
        this.#remove(key);
        this.counters.evictions += 1;
        return;
      }
      entry.isUsed = false;
    }
  }
}

/** Since start; hits and misses count records, not reads. */
export interface CacheCounters {
  hits: number;
  misses: number;
  /** Of records that were held or being fetched. */
  invalidations: number;
  flushes: number;
  /** Records that had perhaps changed again before their fetch came back. */
  droppedFills: number;
  evictions: number;
}

/** A fetch that is under way. */
export interface Fetch {
  readonly keys: readonly string[];
  readonly flights: readonly Flight[];
}

/** All fetches of a key that are under way, since it last changed. */
interface Flight {
  fetches: number;
  /** By the first of them that came back. */
  brought: Buffer | null | undefined;
}

interface Entry {
  readonly record: Buffer | null;
  isUsed: boolean;
}

/** Measured with 300,000 entries on Node 20: the map's, the key's, the buffer's and the allocator's bookkeeping. */
const entryBytes = 400;
const recordBytes = 400;

/** What an entry is counted as. */
export function bytesOf(key: string, record: Buffer | null): number {
  return entryBytes + key.length + (record === null ? 0 : recordBytes + record.length);
}

function isSame(one: Buffer | null, other: Buffer | null): boolean {
  return one === null || other === null ? one === other : one.equals(other);
}

/** Neither a part of the big buffer that a reply was read into nor of the pool that small buffers share: either would be pinned. */
function ownCopy(record: Buffer): Buffer {
  const copy = Buffer.allocUnsafeSlow(record.length);
  record.copy(copy);
  return copy;
}
