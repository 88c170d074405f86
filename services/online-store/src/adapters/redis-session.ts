import type { Redis } from "ioredis";

/**
 * Counts the connections to the server: behind a new one there may be a server that has lost data, or another one. What was
 * learnt about the server holds for the session it was learnt in.
 */
export interface RedisSession {
  readonly count: number;
  /** Calls back when a connection has been made again. */
  onRenewed(callback: () => void): void;
}

export function redisSession(redis: Redis): RedisSession {
  let count = 0;
  const callbacks: (() => void)[] = [];
  redis.on("close", () => {
    count += 1;
  });
  redis.on("ready", () => {
    count += 1;
    for (const callback of callbacks) callback();
  });
  return {
    get count() {
      return count;
    },
    onRenewed: (callback) => void callbacks.push(callback),
  };
}
