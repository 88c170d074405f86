import { isCluster, type RedisServers } from "./redis-servers.ts";

/**
 * Counts the connections to the server: behind a new one there may be a server that has lost data, or another one. What was
 * learnt about the server holds for the session it was learnt in. On a cluster the count stands still: there each answer is
 * judged by the run of the server that gave it (see redis-cluster-read.ts), so that one master's trouble is not the others'.
 */
export interface RedisSession {
  readonly count: number;
  /** Calls back when a connection has been made again. */
  onRenewed(callback: () => void): void;
}

export function redisSession(redis: RedisServers): RedisSession {
  if (isCluster(redis)) return { count: 0, onRenewed: (callback) => redis.onRenewed(callback) };
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
