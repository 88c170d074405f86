import { answerOf } from "./redis-client.ts";
import { isCluster, type RedisServers } from "./redis-servers.ts";

export interface ScanPage {
  readonly cursor: string;
  readonly keys: readonly string[];
}

interface ScanOptions {
  readonly match: string;
  readonly count: number;
}

/**
 * The next keys of all servers. On a cluster one master after another in the order of their addresses, and the cursor is
 * `host:port` and that master's own; where it has left meanwhile, the next in order follows. Keys that wander between masters
 * during a round may be met twice or not at all: the next round meets them.
 * @param cursor "0" at the beginning, and returned at the end
 * @throws TributaryError UNAVAILABLE
 */
export async function scanServers(redis: RedisServers, cursor: string, options: ScanOptions): Promise<ScanPage> {
  const { match, count } = options;
  if (!isCluster(redis)) {
    const [next, keys] = await answerOf(redis.scan(cursor, "MATCH", match, "COUNT", count));
    return { cursor: next, keys };
  }
  const [address = "", own = "0"] = cursor.includes(" ") ? cursor.split(" ") : [];
  const node = redis.nodes.find((one) => one.address >= address);
  if (node === undefined) return { cursor: "0", keys: [] };
  const from = node.address === address ? own : "0";
  const [next, keys] = await answerOf(node.redis.scan(from, "MATCH", match, "COUNT", count));
  if (next !== "0") return { cursor: `${node.address} ${next}`, keys };
  const following = redis.nodes.find((one) => one.address > node.address);
  return { cursor: following === undefined ? "0" : `${following.address} 0`, keys };
}
