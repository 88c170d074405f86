import { TributaryError } from "@tributary/shared/contracts/errors";
import { groupBy } from "../core/group-by.ts";
import { slotOf } from "../core/store-keys.ts";
import { answerOf } from "./redis-client.ts";
import { hasMoved, type RedisCluster } from "./redis-cluster.ts";
import type { ClusterNode } from "./redis-node.ts";

/** Run id of the server on which a partition was last looked at; undefined: not yet. */
export type KnownRun = (partition: number) => string | undefined;

type Records = readonly (Buffer | null)[];

/** Keys of one partition, and where in the request they stand. */
interface Part {
  /** The partition's hash tag, `{pNN}`. */
  readonly slot: string;
  readonly keys: readonly string[];
  readonly places: readonly number[];
}

/**
 * One MGET a partition, and one write to each master. An answer counts if it is by the run of the server that the partition
 * was looked at on: a master that came back, a replica in its place or a slot that went elsewhere may hold older records, also
 * behind a connection that was open all the time.
 * @param knownRun absent: any answer counts, for those who compare and set what they have read
 * @throws TributaryError UNAVAILABLE
 */
export async function readFromCluster(
  cluster: RedisCluster,
  keys: readonly string[],
  knownRun?: KnownRun,
): Promise<(Buffer | null)[]> {
  const byNode = groupBy(partsOf(keys), (part) => cluster.nodeOf(part.slot));
  const answers = [...byNode].map(([node, parts]) => readFromNode(cluster, node, { parts, knownRun }));
  const found = new Array<Buffer | null>(keys.length).fill(null);
  // All of them to their end, also when one fails: none is left behind unheard.
  for (const settled of await Promise.allSettled(answers)) {
    if (settled.status === "rejected") throw settled.reason;
    for (const { part, records } of settled.value)
      for (const [i, place] of part.places.entries()) found[place] = records[i] ?? null;
  }
  return found;
}

function partsOf(keys: readonly string[]): Part[] {
  const bySlot = groupBy([...keys.keys()], (place) => slotOf(keys[place] ?? ""));
  return [...bySlot].map(([slot, places]) => ({ slot, places, keys: places.map((place) => keys[place] ?? "") }));
}

interface NodeRead {
  readonly parts: readonly Part[];
  readonly knownRun: KnownRun | undefined;
}

function readFromNode(cluster: RedisCluster, node: ClusterNode, { parts, knownRun }: NodeRead) {
  const pipeline = node.redis.pipeline();
  for (const { keys } of parts) pipeline.mgetBuffer(...keys);
  const answers = answerOf(pipeline.exec());
  return Promise.all(
    parts.map(async (part, i) => {
      const [error, records] = (await answers)?.[i] ?? [new Error("no answer to a pipelined MGET")];
      if (!error) return known(node, { part, records: records as Records }, knownRun);
      if (!hasMoved(error)) return answerOf<never>(Promise.reject(error));
      const again = async (other: ClusterNode) => {
        return known(other, { part, records: await other.redis.mgetBuffer(...part.keys) }, knownRun);
      };
      return answerOf(cluster.ask(part.slot, again));
    }),
  );
}

interface Answer {
  readonly part: Part;
  readonly records: Records;
}

/** @throws TributaryError UNAVAILABLE */
function known({ address, run }: ClusterNode, answer: Answer, knownRun: KnownRun | undefined): Answer {
  const partition = Number(answer.part.slot.slice("{p".length, -1));
  if (knownRun === undefined || (run !== undefined && run === knownRun(partition))) return answer;
  const what = `what ${address} holds of partition ${partition} is being looked up`;
  throw new TributaryError("UNAVAILABLE", `redis: another server answers than before; ${what}`);
}
