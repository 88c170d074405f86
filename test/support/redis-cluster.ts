import { appendFileSync, cpSync, rmSync } from "node:fs";
import { join } from "node:path";
import { openCredentials } from "@tributary/local/credentials";
import { claimDirectory } from "@tributary/local/directory-claim";
import { findBinaries } from "@tributary/local/find-binaries";
import { freePort } from "@tributary/local/free-port";
import { redisRecipe } from "@tributary/local/redis-server";
import { ServerProcess, type ServerRecipe } from "@tributary/local/server-process";
import { Cluster, Redis } from "ioredis";
import { until } from "./until.ts";

const slots = 16_384;

/** Redis Cluster on loopback: masters that share the slots out evenly, and replicas of the first. */
export interface TestCluster {
  /** REDIS_URL: the first two masters. */
  readonly url: string;
  readonly masters: readonly TestNode[];
  readonly replicas: readonly TestNode[];
  /** A client of the whole cluster, for what a test looks at itself. */
  readonly client: Cluster;
  stop(): Promise<void>;
}

export interface TestNode {
  readonly address: string;
  readonly url: string;
  /** To this very server. */
  readonly redis: Redis;
  kill(): Promise<void>;
  start(): Promise<void>;
  pause(): void;
  resume(): void;
  /** What it has on disk now, to be put back while it is dead. */
  copy(): { putBack(): void };
}

export interface ClusterOptions {
  readonly directory: string;
  /** Of the first master. Default none. */
  readonly replicas?: number;
  /** After how long without an answer a master counts as failed, ms. Default 30,000: never, as a test goes. */
  readonly nodeTimeoutMs?: number;
}

export async function startRedisCluster({ directory, replicas = 0, nodeTimeoutMs = 30_000 }: ClusterOptions) {
  const names = ["m1", "m2", "m3", ...Array.from({ length: replicas }, (_, i) => `r${i + 1}`)];
  const claim = await claimDirectory(directory);
  const password = openCredentials(directory)("redis");
  const started: StartedNode[] = [];
  const stop = async () => {
    client?.disconnect();
    for (const { redis } of started) redis.disconnect();
    await Promise.all(started.map(({ process }) => process.stop()));
    await claim.release();
  };
  let client: Cluster | undefined;
  try {
    for (const name of names) started.push(await startNode({ directory, name, password, nodeTimeoutMs }));
    await meet(started);
    const [masters, others] = [started.slice(0, 3), started.slice(3)];
    const startup = masters.map(({ port }) => ({ host: "127.0.0.1", port }));
    client = new Cluster(startup, { redisOptions: { password } });
    client.on("error", () => undefined);
    const url = `redis://default:${password}@${masters.slice(0, 2).map(({ address }) => address)}`;
    return { url, masters, replicas: others, client, stop } satisfies TestCluster;
  } catch (error) {
    await stop();
    throw error;
  }
}

interface StartedNode extends TestNode {
  readonly process: ServerProcess;
  readonly port: number;
  readonly busPort: number;
}

interface NodeOptions {
  readonly directory: string;
  readonly name: string;
  readonly password: string;
  readonly nodeTimeoutMs: number;
}

async function startNode(options: NodeOptions): Promise<StartedNode> {
  const { directory, name, password } = options;
  const home = join(directory, name);
  const busPort = await freePort();
  const process = new ServerProcess(recipe({ ...options, home, busPort }), directory);
  await process.start();
  const { port } = process;
  const address = `127.0.0.1:${port}`;
  const redis = new Redis({ host: "127.0.0.1", port, password });
  redis.on("error", () => undefined); // the tests take it away on purpose
  const files = join(home, "redis", "appendonlydir");
  return {
    ...{ process, port, busPort, address, redis, url: `redis://default:${password}@${address}` },
    kill: () => process.kill(),
    start: () => process.start(),
    pause: () => process.pause(),
    resume: () => process.resume(),
    copy: () => {
      const aside = join(home, "aside");
      rmSync(aside, { recursive: true, force: true });
      cpSync(files, aside, { recursive: true });
      return {
        putBack: () => {
          rmSync(files, { recursive: true });
          cpSync(aside, files, { recursive: true });
        },
      };
    },
  };
}

/** The project's own Redis, as a node of a cluster. */
function recipe(options: NodeOptions & { readonly home: string; readonly busPort: number }): ServerRecipe {
  const binary = findBinaries().redis;
  if (binary === undefined) throw new Error("redis-server: no such server on this machine");
  const single = redisRecipe(binary, options.home, () => options.password);
  const lines = [
    "cluster-enabled yes",
    `cluster-port ${options.busPort}`,
    `cluster-node-timeout ${options.nodeTimeoutMs}`,
    "cluster-replica-validity-factor 0",
    `masterauth ${options.password}`,
  ];
  return {
    ...single,
    name: options.name,
    prepare: async (port) => {
      const command = await single.prepare(port);
      appendFileSync(join(options.home, "redis", "redis.conf"), `${lines.join("\n")}\n`);
      return { ...command, name: options.name };
    },
  };
}

/** Three masters by the commands that `redis-cli --cluster create` would send. */
async function meet(nodes: readonly StartedNode[]): Promise<void> {
  const [first, ...others] = nodes;
  if (first === undefined) return;
  for (const [i, { redis }] of nodes.slice(0, 3).entries()) {
    await redis.cluster("SET-CONFIG-EPOCH", i + 1);
    const from = Math.floor((i * slots) / 3);
    await redis.cluster("ADDSLOTSRANGE", from, Math.floor(((i + 1) * slots) / 3) - 1);
  }
  for (const { port, busPort } of others) await first.redis.cluster("MEET", "127.0.0.1", port, busPort);
  await until(() => allSay(nodes, `cluster_known_nodes:${nodes.length}`), { what: "all nodes have met" });
  const master = String(await first.redis.cluster("MYID"));
  for (const { redis } of nodes.slice(3)) {
    await until(async () => (await redis.cluster("REPLICATE", master)) === "OK");
    await until(async () => /master_link_status:up/.test(await redis.info("replication")), { what: "a replica" });
  }
  await until(() => allSay(nodes, "cluster_state:ok"), { what: "the cluster is whole" });
}

async function allSay(nodes: readonly StartedNode[], what: string): Promise<boolean> {
  const infos = await Promise.all(nodes.map(({ redis }) => redis.cluster("INFO")));
  return infos.every((info) => String(info).includes(what));
}
