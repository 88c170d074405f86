import { TributaryError } from "@tributary/shared/contracts/errors";
import type { Logger } from "@tributary/shared/runtime/logger";
import { Redis } from "ioredis";

export type RedisConnection = Redis;

export interface RedisOptions {
  /** `redis://user:password@host:port`, or `rediss://…`. */
  readonly url: string;
  /** Shown by CLIENT LIST. */
  readonly name: string;
  readonly logger: Logger;
  /** A command that takes longer fails, ms. */
  readonly commandTimeoutMs: number;
  /** How long the first connection may take, ms; later ones are tried for ever. */
  readonly startMsMax?: number;
}

const reconnectMsMax = 500;

/**
 * A connection that fails fast and comes back by itself: no command waits in a queue for a server that is away, and none is
 * sent again by the driver (the merge repeats what it needs).
 * @throws TributaryError UNAVAILABLE when no server answers in time; BAD_CONFIG when it refuses the password
 */
export async function openRedis(options: RedisOptions): Promise<Redis> {
  const redis = connectRedis(options);
  try {
    await firstReady(redis, options.startMsMax ?? 10_000);
  } catch (error) {
    redis.disconnect();
    throw error;
  }
  return redis;
}

/** As `openRedis`, but does not wait for the server. */
export function connectRedis(options: RedisOptions): Redis {
  const redis = new Redis(options.url, {
    connectionName: options.name,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    connectTimeout: 2_000,
    commandTimeout: options.commandTimeoutMs,
    retryStrategy: (times) => Math.min(20 * 2 ** Math.min(times, 10), reconnectMsMax),
  });
  logOutages(redis, options);
  return redis;
}

/** Once when it goes away and once when it is back. */
function logOutages(redis: Redis, { logger, name }: RedisOptions): void {
  let isAway = false;
  redis.on("error", (error) => {
    if (!isAway) logger.warn({ connection: name, error: error.message }, "redis is away; reconnecting");
    isAway = true;
  });
  redis.on("ready", () => {
    if (isAway) logger.info({ connection: name }, "redis is back");
    isAway = false;
  });
}

function firstReady(redis: Redis, startMsMax: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const where = `${redis.options.host}:${redis.options.port}`;
    const timer = setTimeout(() => {
      reject(new TributaryError("UNAVAILABLE", `redis at ${where} does not answer (REDIS_URL)`));
    }, startMsMax);
    redis.once("ready", () => {
      clearTimeout(timer);
      resolve();
    });
    redis.on("error", (error) => {
      if (!/WRONGPASS|NOAUTH/.test(error.message)) return;
      clearTimeout(timer);
      reject(new TributaryError("BAD_CONFIG", `redis at ${where} refuses the password of REDIS_URL`));
    });
  });
}

/**
 * Answers of a server that cannot do it now, but will. Before version 7 one to a script's command stands behind a dash. MOVED, ASK
 * and TRYAGAIN: a cluster is changing under the command, which was not carried out.
 */
const passing = /(?:^|: -)(?:LOADING|OOM|READONLY|MISCONF|MASTERDOWN|BUSY|TRYAGAIN|CLUSTERDOWN|MOVED|ASK)\b/;
const full = /(?:^|: -)OOM\b/;

/**
 * The command's result; whatever an outage throws becomes UNAVAILABLE, so that callers can tell it from a defect.
 * @throws TributaryError UNAVAILABLE
 */
export async function answerOf<T>(command: Promise<T>): Promise<T> {
  try {
    return await command;
  } catch (error) {
    if (error instanceof TributaryError) throw error;
    if (isReplyError(error) && !passing.test(error.message)) throw error;
    throw new TributaryError("UNAVAILABLE", `redis: ${causeOf(error)}`, { cause: error });
  }
}

function causeOf(error: unknown): string {
  if (isReplyError(error) && full.test(error.message)) return "its maxmemory is reached";
  return error instanceof Error ? error.message : String(error);
}

/** What the server answered, as against a failure to reach it. */
export function isReplyError(error: unknown): error is Error {
  return error instanceof Error && error.name === "ReplyError";
}

/**
 * An evicted record would be a write forgotten in silence, so only `noeviction` will do.
 * @throws TributaryError BAD_CONFIG
 */
export async function checkEviction(redis: Redis): Promise<void> {
  const policy = /^maxmemory_policy:(\S+)/m.exec(await answerOf(redis.info("memory")))?.[1];
  if (policy === "noeviction") return;
  throw new TributaryError(
    "BAD_CONFIG",
    `redis at ${redis.options.host}:${redis.options.port} has maxmemory-policy ${policy ?? "unknown"}; it must be noeviction`,
  );
}
