import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ensureEnvironment } from "@tributary/cli/admin/ensure";
import { type Servers, startServers } from "@tributary/local/servers";
import { type Services, startServices } from "@tributary/local/supervisor";
import { encodeChunk } from "@tributary/shared/codec/chunk-codec";
import { decodePayload, encodePayload } from "@tributary/shared/codec/json-or-msgpack";
import { type Lane, lanes } from "@tributary/shared/contracts/catalog";
import type { Chunk } from "@tributary/shared/contracts/chunk";
import type { ReadReply, ReadRequest } from "@tributary/shared/contracts/read";
import type { StoreStatus } from "@tributary/shared/contracts/status";
import { subjects } from "@tributary/shared/contracts/subjects";
import { consumerTable, laneStream } from "@tributary/shared/contracts/topology";
import { openBucket } from "@tributary/shared/messaging/bucket";
import { openConnection } from "@tributary/shared/messaging/connection";
import type { Connection, PublishAck } from "@tributary/shared/messaging/contract";
import { callApi } from "@tributary/shared/messaging/jetstream-api";
import { createPublisher } from "@tributary/shared/messaging/publisher";
import { request } from "@tributary/shared/messaging/request";
import { readStreamState } from "@tributary/shared/messaging/stream-state";
import { currentKey, versionKey } from "@tributary/shared/runtime/catalog-client";
import { catalog } from "./definitions.ts";
import { startNatsProxy, startRedisProxy } from "./proxy.ts";
import type { Trap } from "./trap.ts";

export const stores = ["online-store", "online-store-2"] as const;

/** A broker, a Redis, two stores that reach both through a proxy each, and what publishes to them and asks them. */
export interface KillRig {
  readonly services: Services;
  readonly redisUrl: string;
  /** Creation times of the lanes' streams, epoch ms. */
  readonly incarnations: ReadonlyMap<Lane, number>;
  publish(chunk: Chunk): Promise<PublishAck>;
  publishBytes(subject: string, lane: Lane, data: Uint8Array): Promise<PublishAck>;
  read(body: Partial<ReadRequest>): Promise<ReadReply>;
  status(): Promise<StoreStatus>;
  stop(): Promise<void>;
}

export async function startKillRig(trap: Trap): Promise<KillRig> {
  const directory = mkdtempSync(join(tmpdir(), "tributary-store-kills-"));
  const undo: (() => unknown)[] = [() => rmSync(directory, { recursive: true, force: true, maxRetries: 5 })];
  const stop = async () => {
    for (const step of undo.splice(0).reverse()) await step();
  };
  try {
    const servers = await startServers({ directory, need: ["nats", "redis"], fsync: false });
    undo.push(() => servers.stop());
    await ensureEnvironment({ natsUrl: servers.nats.url("admin") });
    const [admin, client] = await Promise.all(
      ["admin", "client"].map((user) => openConnection({ url: servers.nats.url(user), name: `campaign-${user}` })),
    );
    if (admin === undefined || client === undefined) throw new Error("no connections");
    undo.push(() => Promise.all([admin.close(), client.close()]));
    await prepare(admin);
    const environments = Object.fromEntries(
      await Promise.all(stores.map((store) => wire(store, { servers, trap, undo }))),
    );
    const services = await startServices({ servers, names: stores, environments });
    undo.push(() => services.stop());
    return { services, redisUrl: servers.redis.url, ...(await talk(admin, client)), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** What a killed store had in hand comes again after two seconds instead of five: a campaign waits for it after each kill. */
const ackWaitMs = 2_000;

async function prepare(admin: Connection): Promise<void> {
  const bucket = await openBucket(admin, "TRIB_CATALOG");
  await bucket.put(versionKey(catalog.version), encodePayload(catalog, "json"));
  await bucket.put(currentKey, encodePayload({ version: catalog.version, fingerprint: catalog.fingerprint }, "json"));
  for (const { stream, durable } of consumerTable) {
    const { config } = await callApi<{ config: object }>(admin, `CONSUMER.INFO.${stream}.${durable}`);
    const shorter = { ...config, ack_wait: ackWaitMs * 1e6 };
    await callApi(admin, `CONSUMER.DURABLE.CREATE.${stream}.${durable}`, { stream_name: stream, config: shorter });
  }
}

interface Wiring {
  readonly servers: Servers;
  readonly trap: Trap;
  readonly undo: (() => unknown)[];
}

/** The settings that send a store through its own proxies. */
async function wire(store: string, { servers, trap, undo }: Wiring) {
  const nats = await startNatsProxy({ store, trap, targetPort: servers.nats.port });
  const redis = await startRedisProxy({ store, trap, targetPort: servers.redis.port });
  undo.push(() => Promise.all([nats.close(), redis.close()]));
  const through = (url: string, port: number) => Object.assign(new URL(url), { port: String(port) }).href;
  const settings = {
    NATS_URL: through(servers.nats.url("online-store"), nats.port),
    REDIS_URL: through(servers.redis.url, redis.port),
    APPLY_BATCH_MAX: "8",
  };
  return [store, settings] as const;
}

async function talk(admin: Connection, client: Connection) {
  const publishers = new Map(
    await Promise.all(
      lanes.map(async (lane) => [lane, await createPublisher(admin, { stream: laneStream[lane] })] as const),
    ),
  );
  const incarnations = new Map<Lane, number>();
  for (const lane of lanes) incarnations.set(lane, (await readStreamState(admin, laneStream[lane])).incarnation);
  const publishBytes = (subject: string, lane: Lane, data: Uint8Array) => {
    const publisher = publishers.get(lane);
    if (publisher === undefined) throw new Error(`no lane ${lane}`);
    return publisher.publish({ subject, data });
  };
  const ask = async (subject: string, body: unknown) =>
    decodePayload(await request(client, subject, encodePayload(body, "msgpack"))).value;
  return {
    incarnations,
    publishBytes,
    publish: (chunk: Chunk) =>
      publishBytes(subjects.rows(chunk.lane, chunk.partition, chunk.view), chunk.lane, encodeChunk(chunk)),
    read: async (body: Partial<ReadRequest>) => (await ask(subjects.readFeatures, body)) as ReadReply,
    status: async () => (await ask(subjects.storeStatus, {})) as StoreStatus,
  };
}
