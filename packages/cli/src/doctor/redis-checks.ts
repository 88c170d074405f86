import type { LaneFloor, RedisFacts, RedisServerFacts, StoreStatus } from "@tributary/shared/contracts/status";
import { subjects } from "@tributary/shared/contracts/subjects";
import type { Connection } from "@tributary/shared/messaging/contract";
import { askJson } from "../ask-json.ts";
import { type Check, fail, ok, warn } from "./check.ts";

/** Redis as the store sees it: only the store knows its address. */
export async function redisChecks(connection: Connection): Promise<readonly Check[]> {
  const { redis, lanes } = await askJson<StoreStatus>(connection, subjects.storeStatus);
  if (redis === undefined) return [warn("redis", "the store does not tell of it", "upgrade the store")];
  if (redis === null) {
    return [
      fail("redis", "does not answer the store", "check that Redis runs and that the store's REDIS_URL is right"),
    ];
  }
  return [...judgeRedis(redis), writes(lanes), completeness(lanes)];
}

/** Whether it takes what the lanes bring. */
export function writes(lanes: readonly LaneFloor[]): Check {
  const name = "redis writes";
  const waiting = lanes.flatMap(({ lane, waiting }) => (waiting ? [`${lane}: ${waiting.why}`] : []));
  if (waiting.length === 0) return ok(name, "none waits");
  return fail(name, `they wait (${waiting.join(", ")})`, "mend Redis or raise its maxmemory; they go on by themselves");
}

/** Whether it holds what the lanes had applied. */
export function completeness(lanes: readonly LaneFloor[]): Check {
  const name = "redis completeness";
  const gaps = lanes.flatMap(({ lane, gaps }) => (gaps ? [`${lane}: ${gaps.length} partitions`] : []));
  if (gaps.length > 0) {
    const what = `it lost what the streams hold no longer (${gaps.join(", ")}); confirmations behind it do not count`;
    return fail(name, what, "run `tributary rebuild`; see docs/operating/redis.md");
  }
  const replays = lanes.flatMap(({ lane, replay }) =>
    replay ? [`${lane}: ${replay.until - replay.position} to go`] : [],
  );
  if (replays.length === 0) return ok(name, "nothing that the lanes had applied is missing");
  return warn(name, `what it lost is being read again (${replays.join(", ")})`, "wait until it is done");
}

export function judgeRedis(redis: RedisFacts): readonly Check[] {
  if (redis.servers !== undefined) return judgeCluster(redis, redis.servers);
  return [
    ok("redis", `version ${redis.version} answers the store`),
    eviction(redis),
    persistence(redis),
    memory(redis),
  ];
}

/** The same questions of every master; what is wrong is told with its address. */
function judgeCluster({ version }: RedisFacts, servers: readonly RedisServerFacts[]): readonly Check[] {
  const silent = servers.filter(({ facts }) => facts === null).map(({ address }) => address);
  const answers =
    silent.length === 0
      ? ok("redis", `cluster of ${servers.length} masters, version ${version}, answers the store`)
      : fail("redis", `${silent.join(", ")} does not answer the store`, "start it, or let a replica take its place");
  const worst = (judge: (facts: RedisFacts) => Check): Check => {
    const found = servers.flatMap(({ address, facts }) => (facts === null ? [] : [{ address, check: judge(facts) }]));
    const wrong = found.filter(({ check }) => check.state !== "ok");
    const { check } = wrong.find((one) => one.check.state === "fail") ?? wrong[0] ?? found[0] ?? { check: answers };
    const what = wrong.map((one) => `${one.address}: ${one.check.what}`).join("; ");
    const each = [...new Set(found.map((one) => one.check.what))].join("; ");
    return { ...check, what: wrong.length === 0 ? each : what };
  };
  return [answers, worst(eviction), worst(persistence), worst(memory)];
}

function eviction({ maxmemoryPolicy }: RedisFacts): Check {
  if (maxmemoryPolicy === "noeviction") return ok("redis eviction", "none");
  const what = `maxmemory-policy is ${maxmemoryPolicy || "unknown"}: records would be forgotten in silence`;
  return fail("redis eviction", what, "set maxmemory-policy noeviction, then republish what may be gone");
}

function persistence({ appendOnly, isDiskFine }: RedisFacts): Check {
  const name = "redis persistence";
  if (!isDiskFine) return fail(name, "its last write to disk failed", "see Redis's log: is the disk full?");
  if (appendOnly) return ok(name, "append-only file");
  return warn(name, "no append-only file: a restart loses records", "set appendonly yes");
}

const memoryWarn = 0.8;

function memory({ usedBytes, maxmemoryBytes }: RedisFacts): Check {
  const name = "redis memory";
  const mebibytes = `${Math.round(usedBytes / 1024 / 1024)} MiB used`;
  if (maxmemoryBytes === 0) return ok(name, `${mebibytes}, no limit of its own`);
  const share = usedBytes / maxmemoryBytes;
  const what = `${mebibytes}, ${Math.round(share * 100)} % of its maxmemory`;
  return share < memoryWarn ? ok(name, what) : warn(name, `${what}; when it is full, writes wait`, "raise maxmemory");
}
