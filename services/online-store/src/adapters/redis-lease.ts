import { randomUUID } from "node:crypto";
import { runScript, script } from "./redis-script.ts";
import { ask, type RedisServers } from "./redis-servers.ts";

/**
 * Who of several instances does a piece of work. It only spares work: whatever is done under it must be harmless when two do it.
 * All throw UNAVAILABLE.
 */
export interface RedisLease {
  /** False while another has it. */
  take(): Promise<boolean>;
  /** False when it ran out and another has taken it. */
  renew(): Promise<boolean>;
  release(): Promise<void>;
}

const renew = script(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])`);

const release = script(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])`);

export function redisLease(redis: RedisServers, key: string, leaseMs: number): RedisLease {
  const holder = randomUUID();
  return {
    take: async () => (await ask(redis, key, (server) => server.set(key, holder, "PX", leaseMs, "NX"))) === "OK",
    renew: async () => (await runScript(redis, renew, { keys: [key], values: [holder, leaseMs] })) === 1,
    release: async () => void (await runScript(redis, release, { keys: [key], values: [holder] })),
  };
}
