import { createHash } from "node:crypto";
import type { Redis } from "ioredis";

/**
 * The few commands of Redis that records need, over maps. Every command is carried out at one instant, as the server would, but
 * when it gets there and when its answer is back the caller of `connect` decides. Of scripts it knows the compare-and-set, as
 * what that says in Lua; any other it refuses, so that a new script is not passed over.
 */
export class SimulatedRedis {
  readonly strings = new Map<string, Buffer>();
  readonly hashes = new Map<string, Map<string, string>>();
  readonly #onSet: (key: string, before: Buffer | undefined, after: Buffer) => void;

  constructor(onSet: (key: string, before: Buffer | undefined, after: Buffer) => void) {
    this.#onSet = onSet;
  }

  /** `around` lets a command through when its time has come, and its answer back. */
  connect(around: Around): Redis {
    const connection: Pick<Connection, keyof Connection> = {
      mgetBuffer: (...keys) => around("mget", () => keys.map((key) => this.strings.get(key) ?? null)),
      hget: (key, field) => around("hget", () => this.hashes.get(key)?.get(field) ?? null),
      hsetnx: (key, field, value) => around("hsetnx", () => this.#hsetnx(key, field, value)),
      evalsha: (sha, count, ...rest) => around("evalsha", () => this.#evalsha(sha, count, rest)),
      eval: (text, count, ...rest) => around("eval", () => this.#eval(text, count, rest)),
    };
    return connection as unknown as Redis;
  }

  hset(key: string, field: string, value: string): void {
    const hash = this.hashes.get(key) ?? new Map<string, string>();
    hash.set(field, value);
    this.hashes.set(key, hash);
  }

  #hsetnx(key: string, field: string, value: string): number {
    if (this.hashes.get(key)?.has(field)) return 0;
    this.hset(key, field, value);
    return 1;
  }

  #evalsha(sha: string, count: number, rest: readonly Argument[]): number[] {
    if (!knownScripts.has(sha)) throw new NoScript();
    return this.#compareAndSet(rest.slice(0, count).map(String), rest.slice(count));
  }

  #eval(text: string, count: number, rest: readonly Argument[]): number[] {
    if (!marks.every((mark) => text.includes(mark))) throw new Error(`the simulation does not know the script ${text}`);
    const sha = createHash("sha1").update(text).digest("hex");
    knownScripts.add(sha);
    return this.#evalsha(sha, count, rest);
  }

  #compareAndSet([shapesKey = "", ...keys]: readonly string[], [shapes, ...rest]: readonly Argument[]): number[] {
    const count = Number(shapes);
    const ids = rest.slice(0, count).map(String);
    const missing = ids.flatMap((id, i) => (this.hashes.get(shapesKey)?.has(id) ? [] : [-1 - i]));
    if (missing.length > 0) return missing;
    const replacements = unpackReplacements(rest[count] as Buffer);
    return keys.flatMap((key, i) => {
      const { nonce, bytes } = replacements[i] as PackedReplacement;
      const before = this.strings.get(key);
      if (!(before?.subarray(1, 9) ?? Buffer.alloc(0)).equals(nonce)) return [i + 1];
      if (bytes.length === 0) this.strings.delete(key);
      else this.strings.set(key, bytes);
      if (bytes.length > 0) this.#onSet(key, before, bytes);
      return [];
    });
  }
}

interface PackedReplacement {
  readonly nonce: Buffer;
  readonly bytes: Buffer;
}

/** As `struct.unpack('<Bc0I4c0', …)` does, again and again. */
function unpackReplacements(packed: Buffer): PackedReplacement[] {
  const all: PackedReplacement[] = [];
  for (let at = 0; at < packed.length; ) {
    const bytesAt = at + 1 + packed.readUInt8(at) + 4;
    const end = bytesAt + packed.readUInt32LE(bytesAt - 4);
    all.push({ nonce: packed.subarray(at + 1, bytesAt - 4), bytes: packed.subarray(bytesAt, end) });
    at = end;
  }
  return all;
}

export type Around = <T>(command: string, act: () => T) => Promise<T>;

type Argument = string | number | Buffer;

interface Connection {
  mgetBuffer(...keys: string[]): Promise<(Buffer | null)[]>;
  hget(key: string, field: string): Promise<string | null>;
  hsetnx(key: string, field: string, value: string): Promise<number>;
  evalsha(sha: string, count: number, ...rest: Argument[]): Promise<number[]>;
  eval(text: string, count: number, ...rest: Argument[]): Promise<number[]>;
}

/** What makes the script the compare-and-set that is carried out here. */
const marks = ["HEXISTS", "unpack('<Bc0I4c0', packed, at)", "GETRANGE', KEYS[i], 1, 8", "'SET', KEYS[i], bytes"];
/** As a server that has run on: only the first run of all sends the script whole. */
const knownScripts = new Set<string>();

class NoScript extends Error {
  constructor() {
    super("NOSCRIPT No matching script.");
    this.name = "ReplyError";
  }
}
