import { setTimeout as pause } from "node:timers/promises";
import { TributaryError } from "@tributary/shared/contracts/errors";
import { newestTable, noTable, readSlotTable, type SlotTable } from "../core/slot-table.ts";
import type { RedisAddress } from "./redis-address.ts";
import { isReplyError, openRedis, type RedisConnection, type RedisOptions } from "./redis-client.ts";
import { ClusterNode } from "./redis-node.ts";

/**
 * The masters of a Redis Cluster, each over a connection of its own that fails as fast as that to a single server. Commands go to
 * the node that the table of slots names and to no other: so whoever asks knows which run of which server has answered, and can
 * tell whether that is the one whose data were looked at (see PartitionLife). A replica is never read.
 *
 * The table is asked for every second of all nodes, and at once where a node says that a slot has moved or a connection ends.
 */
export interface ClusterOptions extends Omit<RedisOptions, "url"> {
  readonly address: RedisAddress;
}

const refreshMs = 1_000;
/** A frozen node must not keep the others' answers waiting. */
const tellMsMax = 500;
/** Servers that a command is sent on to, one after another, while slots move. */
const movesMax = 3;

export class RedisCluster {
  readonly #options: ClusterOptions;
  readonly #nodes = new Map<string, ClusterNode>();
  readonly #renewed: (() => void)[] = [];
  #table: SlotTable = noTable;
  #refreshing: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  private constructor(options: ClusterOptions) {
    this.#options = options;
  }

  /**
   * @param seed a node of it
   * @throws TributaryError UNAVAILABLE when not every master answers in time
   */
  static async open(seed: RedisConnection, options: ClusterOptions): Promise<RedisCluster> {
    const cluster = new RedisCluster(options);
    try {
      cluster.#take(await tableOf(seed));
      await cluster.#allReady(options.startMsMax ?? 10_000);
    } catch (error) {
      cluster.disconnect();
      throw error;
    }
    cluster.#schedule();
    return cluster;
  }

  /** Masters that hold slots, in the order of their addresses. */
  get nodes(): readonly ClusterNode[] {
    return this.#table.masters.flatMap((address) => this.#nodes.get(address) ?? []);
  }

  /** Who holds the key now, as far as is known. @throws TributaryError UNAVAILABLE */
  nodeOf(key: string): ClusterNode {
    const node = this.#nodes.get(this.#table.ownerOf(key) ?? "");
    if (node !== undefined) return node;
    throw new TributaryError("UNAVAILABLE", "redis: no server of the cluster holds the slot (CLUSTER SLOTS)");
  }

  /**
   * The command's answer by the key's master; asked again of another only where one refuses it because the slot has moved.
   * @throws TributaryError UNAVAILABLE, and what the command throws
   */
  async ask<T>(key: string, command: (node: ClusterNode) => Promise<T>): Promise<T> {
    for (let moves = 0; ; moves++) {
      try {
        return await command(this.nodeOf(key));
      } catch (error) {
        if (!hasMoved(error) || moves === movesMax) throw error;
        await this.refresh();
      }
    }
  }

  /** Learns who holds what; harmless at any time. Never rejects. */
  refresh(): Promise<void> {
    this.#refreshing ??= this.#refresh().finally(() => {
      this.#refreshing = undefined;
    });
    return this.#refreshing;
  }

  /** Calls back when another server, or another run of one, may answer for some slot. */
  onRenewed(callback: () => void): void {
    this.#renewed.push(callback);
  }

  disconnect(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    for (const node of this.#nodes.values()) node.disconnect();
  }

  #schedule(): void {
    this.#timer = setTimeout(() => void this.refresh().then(() => this.#isClosed || this.#schedule()), refreshMs);
  }

  #refreshSoon(): void {
    if (!this.#isClosed) void this.refresh();
  }

  async #refresh(): Promise<void> {
    const told = await Promise.all(this.nodes.map((node) => within(tellMsMax, tableOf(node.redis))));
    const tables = told.filter((table) => table !== undefined);
    if (tables.length === 0) tables.push(...(await this.#askSeeds()));
    if (!this.#isClosed) this.#take(newestTable(this.#table, tables));
  }

  /** While none of the known nodes answers: all of them may have moved. */
  async #askSeeds(): Promise<SlotTable[]> {
    // The nodes tell that they are away, once; this is tried every second.
    const logger = this.#options.logger.child({}, { level: "silent" });
    for (const url of this.#options.address.urls) {
      const seed = await openRedis({ ...this.#options, url, logger, startMsMax: tellMsMax }).catch(() => undefined);
      if (seed === undefined) continue;
      const table = await within(tellMsMax, tableOf(seed));
      seed.disconnect();
      if (table !== undefined) return [table];
    }
    return [];
  }

  #take(table: SlotTable): void {
    const before = this.#table.masters;
    this.#table = table;
    for (const address of table.masters)
      if (!this.#nodes.has(address)) this.#nodes.set(address, this.#connect(address));
    for (const [address, node] of this.#nodes) {
      if (table.masters.includes(address)) continue;
      this.#nodes.delete(address);
      // What it is asked still, a frozen one would carry out and confirm when it wakes, though another holds the slots.
      node.disconnect();
    }
    if (before.length > 0 && before.join() !== table.masters.join())
      this.#options.logger.warn({ before, masters: table.masters }, "redis cluster: other masters");
  }

  #connect(address: string): ClusterNode {
    const node = new ClusterNode(address, this.#options);
    node.onReady(() => {
      for (const callback of this.#renewed) callback();
    });
    node.redis.on("close", () => this.#refreshSoon());
    return node;
  }

  async #allReady(msMax: number): Promise<void> {
    const deadline = performance.now() + msMax;
    for (;;) {
      const away = this.nodes.filter((node) => node.run === undefined).map(({ address }) => address);
      if (away.length === 0 && this.nodes.length > 0) return;
      if (performance.now() > deadline) {
        const who = away.length === 0 ? "its nodes hold no slots" : `${away.join(", ")} does not answer`;
        throw new TributaryError("UNAVAILABLE", `redis cluster: ${who} (REDIS_URL)`);
      }
      await pause(20);
      if (away.length === 0) await this.refresh();
    }
  }
}

/** The command was refused, and another server holds the slot. */
export function hasMoved(error: unknown): boolean {
  return isReplyError(error) && error.message.startsWith("MOVED ");
}

async function tableOf(redis: RedisConnection): Promise<SlotTable> {
  const [info, slots] = await Promise.all([redis.cluster("INFO"), redis.cluster("SLOTS")]);
  return readSlotTable(String(info), slots, redis.options.host ?? "");
}

/** Undefined when it takes longer or fails. */
async function within<T>(ms: number, work: Promise<T>): Promise<T | undefined> {
  const late = new AbortController();
  const timeout = pause(ms, undefined, { signal: late.signal }).catch(() => undefined);
  return Promise.race([work.catch(() => undefined), timeout]).finally(() => late.abort());
}
