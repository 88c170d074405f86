import { type Servers, startServers } from "@tributary/local/servers";
import { Redis } from "ioredis";
import { afterAll, beforeAll, expect, it, onTestFinished } from "vitest";
import { seededRandom } from "../../bench/seeded-random.ts";
import { testSeed } from "../support/seed.ts";
import { type StallingProxy, startStallingProxy } from "../support/stalling-proxy.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";
import { until } from "../support/until.ts";
import { killClients, type OpenCache, openCache } from "./cache-rig.ts";

/**
 * What a cache promises, against a real Redis whose connections are lost and hang (L3):
 *   lag       a read lacks no write that Redis had carried out `lagMsMax` before the read began
 *   order     no read gives a record older than a read that was over when it began
 *   latest    a read that needs the latest gives every write that was over when it began (D3)
 */
const directory = temporaryDirectory("cache-coherence");
const lagMsMax = 300;
const keys = Array.from({ length: 8 }, (_, i) => `key-${i}`);
let servers: Servers;
let proxy: StallingProxy;
let redis: Redis;
beforeAll(async () => {
  servers = await startServers({ directory: directory.path, need: ["redis"] });
  proxy = await startStallingProxy(servers.redis.port);
  redis = new Redis(servers.redis.url);
});
afterAll(async () => {
  redis?.disconnect();
  await proxy?.close();
  await servers?.stop();
  directory.remove();
});

/** Of one key, in order: each version, and when its write was over. */
interface Write {
  readonly version: number;
  readonly overAtMs: number;
}

class History {
  readonly #writes = new Map<string, Write[]>();
  readonly #given = new Map<string, number>();
  readonly wrong: string[] = [];
  reads = 0;

  wrote(key: string, version: number): void {
    const writes = this.#writes.get(key) ?? [];
    writes.push({ version, overAtMs: performance.now() });
    this.#writes.set(key, writes);
  }

  /** What a read that begins now must not be older than. */
  bounds(isLatest: boolean): ReadonlyMap<string, Bound[]> {
    const beganAtMs = performance.now();
    return new Map(
      keys.map((key) => [
        key,
        [
          { rule: "order", version: this.#given.get(key) ?? 0 },
          {
            rule: isLatest ? "latest" : "lag",
            version: this.#overAt(key, isLatest ? beganAtMs : beganAtMs - lagMsMax),
          },
        ],
      ]),
    );
  }

  gave(key: string, version: number, bounds: readonly Bound[]): void {
    for (const bound of bounds)
      if (version < bound.version)
        this.wrong.push(`${bound.rule}: ${key} is ${version}, not ${bound.version} or newer`);
    this.#given.set(key, Math.max(version, this.#given.get(key) ?? 0));
  }

  #overAt(key: string, instantMs: number): number {
    return this.#writes.get(key)?.findLast(({ overAtMs }) => overAtMs <= instantMs)?.version ?? 0;
  }
}

interface Bound {
  readonly rule: string;
  readonly version: number;
}

it("lags, orders and passes by as it promises, though its connections are lost and hang", async () => {
  const url = servers.redis.url.replace(`:${servers.redis.port}`, `:${proxy.port}`);
  // Small enough that records are evicted.
  const opened = await openCache({ url, lagMsMax, bytesMax: 4_000 });
  onTestFinished(() => opened.stop());
  const history = new History();
  let isOn = true;
  const loops = [
    ...[0, 1].map((writer) => writeOn(history, () => isOn, { writer, random: seededRandom(testSeed + writer) })),
    ...[2, 3, 4, 5].map((reader) =>
      readOn(opened, history, { isOn: () => isOn, random: seededRandom(testSeed + reader) }),
    ),
  ];
  try {
    await disturb(opened, history, seededRandom(testSeed + 6));
  } finally {
    isOn = false;
    await Promise.all(loops);
  }
  expect(history.wrong).toEqual([]);
  const { counters } = opened.cache;
  expect(Math.min(counters.hits, counters.invalidations, counters.evictions), JSON.stringify(counters)).toBeGreaterThan(
    100,
  );
  expect(counters.flushes).toBeGreaterThan(5);
});

/** Every writer has keys of its own, so that versions are in the order of their writes. */
async function writeOn(
  history: History,
  isOn: () => boolean,
  { writer, random }: { readonly writer: number; readonly random: () => number },
): Promise<void> {
  const own = keys.filter((_, i) => i % 2 === writer);
  for (let version = 1; isOn(); version++) {
    const key = own[Math.floor(random() * own.length)] as string;
    await redis.set(key, String(version));
    history.wrote(key, version);
    if (random() < 0.5) await new Promise(setImmediate);
  }
}

async function readOn(
  { read }: OpenCache,
  history: History,
  { isOn, random }: { readonly isOn: () => boolean; readonly random: () => number },
): Promise<void> {
  while (isOn()) {
    const some = keys.filter(() => random() < 0.4);
    const isLatest = random() < 0.1;
    const bounds = history.bounds(isLatest);
    const answer = await read(some, isLatest ? "latest" : undefined).catch(() => undefined);
    for (const [i, key] of some.entries())
      if (answer !== undefined) history.gave(key, Number(answer[i] ?? 0), bounds.get(key) ?? []);
    history.reads += 1;
    await new Promise(setImmediate);
  }
}

/** After every so many reads one of the connections is killed, or that which tells of changes is held up. */
async function disturb({ tracking }: OpenCache, history: History, random: () => number): Promise<void> {
  const disturbances = [
    () => killClients(redis, "cache"),
    () => killClients(redis, "cache-changes"),
    async (round: number) => {
      proxy.hold("__redis__:invalidate");
      await readsMore(history, 200 + random() * 2_000);
      // Every other time until nothing is served from it any more.
      if (round % 2 === 1) await until(() => !tracking.isCurrent());
      await readsMore(history, 200);
      proxy.release();
    },
  ];
  for (let round = 0; round < 12; round++) {
    await until(() => tracking.isCurrent(), { what: "the cache is used" });
    await readsMore(history, 200 + random() * 500);
    await disturbances[round % disturbances.length]?.(round);
  }
  await readsMore(history, 500);
}

function readsMore(history: History, count: number): Promise<unknown> {
  const enough = history.reads + count;
  return until(() => history.reads >= enough, { what: "readers go on" });
}
