import { encodeChunk } from "@tributary/shared/codec/chunk-codec";
import { decodePayload, encodePayload } from "@tributary/shared/codec/json-or-msgpack";
import { type Lane, lanes } from "@tributary/shared/contracts/catalog";
import type { Chunk, ChunkCell, ConfirmationChunk, RowsChunk } from "@tributary/shared/contracts/chunk";
import { partitionOf } from "@tributary/shared/contracts/entity-key";
import type { ReadReply, ReadRequest } from "@tributary/shared/contracts/read";
import type { StoreStatus } from "@tributary/shared/contracts/status";
import { subjects } from "@tributary/shared/contracts/subjects";
import { laneStream } from "@tributary/shared/contracts/topology";
import type { Stamp } from "@tributary/shared/contracts/version";
import { openBucket } from "@tributary/shared/messaging/bucket";
import { openConnection } from "@tributary/shared/messaging/connection";
import type { Connection, PublishAck, Publisher } from "@tributary/shared/messaging/contract";
import { createPublisher } from "@tributary/shared/messaging/publisher";
import { request } from "@tributary/shared/messaging/request";
import { currentKey, versionKey } from "@tributary/shared/runtime/catalog-client";
import { Redis } from "ioredis";
import { type Mesh, type MeshOptions, startMesh } from "../support/mesh.ts";
import { until } from "../support/until.ts";
import { catalogVersion } from "./definitions.ts";

export const partitions = 32;

/** Servers, a catalog, stores, and what publishes to them and asks them. */
export interface StoreRig extends Mesh {
  readonly admin: Connection;
  readonly client: Connection;
  readonly redis: Redis;
  applyCatalog(version: number): Promise<void>;
  publish(chunk: Chunk): Promise<PublishAck>;
  publishBytes(subject: string, lane: Lane, data: Uint8Array): Promise<PublishAck>;
  read(body: Partial<ReadRequest>): Promise<ReadReply>;
  status(): Promise<StoreStatus>;
  /** Waits until everything published so far is applied or set aside. */
  settled(): Promise<void>;
}

export async function startStoreRig(options: MeshOptions = {}): Promise<StoreRig> {
  const mesh = await startMesh({ need: ["nats", "redis"], services: ["online-store"], ...options });
  const admin = await openConnection({ url: mesh.servers.nats.url("admin"), name: "test-admin" });
  const client = await openConnection({ url: mesh.servers.nats.url("client"), name: "test-client" });
  const redis = new Redis(mesh.servers.redis.url.split(",")[0] ?? "");
  redis.on("error", () => undefined); // the tests take it away on purpose
  const rig = { ...mesh, admin, client, redis, ...(await talk(admin, client)) };
  await rig.applyCatalog(1);
  await Promise.all(mesh.services.names.map((name) => storeReady(mesh, name)));
  return {
    ...rig,
    stop: async () => {
      redis.disconnect();
      await Promise.all([admin.close(), client.close()]);
      await mesh.stop();
    },
  };
}

/** Waits until the store has seen the catalog and Redis answers it. */
export function storeReady(mesh: Mesh, name: string): Promise<boolean> {
  return until(async () => (await fetch(`${mesh.services.httpUrl(name)}/readyz`)).ok, { what: `${name} is ready` });
}

async function talk(admin: Connection, client: Connection) {
  const publishers = new Map<Lane, Publisher>();
  for (const lane of lanes) publishers.set(lane, await createPublisher(admin, { stream: laneStream[lane] }));
  const publishBytes = (subject: string, lane: Lane, data: Uint8Array) =>
    (publishers.get(lane) as Publisher).publish({ subject, data });
  const ask = async (subject: string, body: unknown) =>
    decodePayload(await request(client, subject, encodePayload(body, "msgpack"))).value;
  const status = async () => (await ask(subjects.storeStatus, {})) as StoreStatus;
  return {
    publishBytes,
    publish: (chunk: Chunk) =>
      publishBytes(subjects.rows(chunk.lane, chunk.partition, chunk.view), chunk.lane, encodeChunk(chunk)),
    read: async (body: Partial<ReadRequest>) => (await ask(subjects.readFeatures, body)) as ReadReply,
    status,
    settled: async () => {
      const isSettled = async () => (await status()).lanes.every((lane) => lane.floor === lane.lastSequence);
      // What a killed store had in hand comes again only after the broker's acknowledgement wait.
      await until(isSettled, { what: "all lanes are applied" }).catch(async (error) => {
        throw new Error(`${String(error)}: ${JSON.stringify((await status()).lanes)}`);
      });
    },
    applyCatalog: async (version: number) => {
      const bucket = await openBucket(admin, "TRIB_CATALOG");
      const catalog = catalogVersion(version);
      await bucket.put(versionKey(version), json(catalog));
      await bucket.put(currentKey, json({ version, fingerprint: catalog.fingerprint }));
      await until(async () => (await status()).catalogVersion === version, { what: `catalog ${version} is seen` });
    },
  };
}

function json(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}

const laneOf: Readonly<Record<string, Lane>> = { airport_now: "stream", route_profile: "batch", congestion: "direct" };

export interface Row {
  readonly key: string;
  readonly eventTime: number | null;
  readonly features: Readonly<Record<string, ChunkCell>>;
  readonly stamp?: Partial<Stamp>;
}

/** Rows of one view and partition as a chunk; the partition is that of the first key. */
export function chunkOf(view: string, rows: readonly Row[], more: Partial<RowsChunk> = {}): RowsChunk {
  const features = [...new Set(rows.flatMap((row) => Object.keys(row.features)))];
  const stamped = rows.some((row) => row.stamp !== undefined);
  const part = (name: keyof Stamp) => rows.map((row) => row.stamp?.[name] ?? 0);
  return {
    ...header(view, rows[0]?.key ?? ""),
    kind: "rows",
    keys: rows.map((row) => row.key),
    eventTimes: rows.map((row) => row.eventTime),
    ...(stamped && {
      stamps: { incarnations: part("incarnation"), sequences: part("sequence"), minors: part("minor") },
    }),
    columns: features.map((feature) => ({ feature, cells: rows.map((row) => row.features[feature]) })),
    ...more,
  };
}

export function confirmationOf(view: string, key: string, confirmedAtMs: number): ConfirmationChunk {
  return { ...header(view, key), kind: "confirm", confirmedAtMs };
}

function header(view: string, key: string) {
  const lane = laneOf[view] ?? "direct";
  return { lane, view, viewVersion: 1, catalogVersion: 1, partition: partitionOf(key, partitions), producer: "test" };
}

/** The values of one row by column name. */
export function rowOf(reply: ReadReply, row = 0): Record<string, unknown> {
  return Object.fromEntries(reply.columns.map((column) => [column.name, column.values[row]]));
}
