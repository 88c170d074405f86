import { applyCatalog } from "@tributary/cli/catalog/apply";
import { encodeChunk } from "@tributary/shared/codec/chunk-codec";
import { decodePayload, encodePayload } from "@tributary/shared/codec/json-or-msgpack";
import type { CatalogBody } from "@tributary/shared/contracts/catalog";
import type { Chunk } from "@tributary/shared/contracts/chunk";
import { partitionOf } from "@tributary/shared/contracts/entity-key";
import type { StoreStatus } from "@tributary/shared/contracts/status";
import { subjects } from "@tributary/shared/contracts/subjects";
import { laneStream } from "@tributary/shared/contracts/topology";
import { openConnection } from "@tributary/shared/messaging/connection";
import type { Connection } from "@tributary/shared/messaging/contract";
import { openCursor } from "@tributary/shared/messaging/cursor";
import { createPublisher } from "@tributary/shared/messaging/publisher";
import { request } from "@tributary/shared/messaging/request";
import { readStreamState } from "@tributary/shared/messaging/stream-state";
import { type Mesh, startMesh } from "../support/mesh.ts";
import { until } from "../support/until.ts";
import type { ClientRig, NamedView } from "./conformance.ts";
import { body } from "./definitions.ts";

export interface ClientMesh extends Mesh {
  readonly admin: Connection;
  /** Everything of a rig but its client. */
  readonly lanes: Omit<ClientRig, "client" | "stop">;
}

/** Servers, a gateway, a store and a catalog, and the lanes that no process of this mesh works for. */
export async function startClientMesh(
  services: readonly string[] = ["direct-gateway", "online-store"],
  catalog: CatalogBody = body,
): Promise<ClientMesh> {
  const mesh = await startMesh({ services });
  const natsUrl = mesh.servers.nats.url("admin");
  await applyCatalog({ body: catalog, natsUrl, databaseUrl: mesh.servers.postgres.url });
  const admin = await openConnection({ url: natsUrl, name: "test" });
  for (const name of mesh.services.names) await serviceReady(mesh, name);
  const lanes = {
    now: Date.now,
    set: (view: NamedView, code: string, features: object, eventTime: number) =>
      publish(admin, {
        ...headerOf(view, code),
        kind: "rows",
        keys: [code],
        eventTimes: [eventTime],
        stamps: { incarnations: [1], sequences: [1], minors: [0] },
        columns: Object.entries(features).map(([feature, value]) => ({ feature, cells: [value] })),
      }),
    confirm: (view: NamedView, code: string, at: number) =>
      publish(admin, { ...headerOf(view, code), kind: "confirm", confirmedAtMs: at }),
    events: (source: string) => storedEvents(admin, source),
  };
  const stop = async () => {
    await admin.close();
    await mesh.stop();
  };
  return { ...mesh, admin, lanes, stop };
}

export function serviceReady(mesh: Mesh, name: string): Promise<boolean> {
  return until(async () => (await fetch(`${mesh.services.httpUrl(name)}/readyz`)).ok, { what: `${name} is ready` });
}

function headerOf({ name }: NamedView, code: string) {
  const view = body.views[name];
  if (!view) throw new Error(`no view ${name}`);
  const { lane, version } = view;
  const partition = partitionOf(code, body.partitions);
  return { lane, view: name, viewVersion: version, catalogVersion: 1, partition, producer: "test" };
}

/** Resolves when the store has applied it, and counts by it. */
async function publish(admin: Connection, chunk: Chunk): Promise<void> {
  const publisher = createPublisher(admin, { stream: laneStream[chunk.lane] });
  const subject = subjects.rows(chunk.lane, chunk.partition, chunk.view);
  const { sequence } = await publisher.publish({ subject, data: encodeChunk(chunk) });
  await publisher.close();
  await until(async () => {
    const reply = await request(admin, subjects.storeStatus, encodePayload({}, "json"));
    const { lanes } = decodePayload(reply).value as StoreStatus;
    return lanes.some(({ lane, floor }) => lane === chunk.lane && floor >= sequence);
  });
}

async function storedEvents(admin: Connection, source: string): Promise<readonly object[]> {
  const { messages } = await readStreamState(admin, "TRIB_EVENTS");
  const cursor = await openCursor(admin, { stream: "TRIB_EVENTS", filter: "trib.v1.events.>", from: 1 });
  const read = [];
  while (read.length < messages) read.push(...(await cursor.next(500, 100)));
  await cursor.close();
  const own = read.filter(({ subject }) => subject === subjects.events(source));
  return own.flatMap(({ data }) => decodePayload(data).value as object[]);
}
