import { applyCatalog } from "@tributary/cli/catalog/apply";
import { decodeChunk } from "@tributary/shared/codec/chunk-codec";
import type { RowsChunk } from "@tributary/shared/contracts/chunk";
import { openConnection } from "@tributary/shared/messaging/connection";
import type { Connection, DeliveredMessage } from "@tributary/shared/messaging/contract";
import { openCursor } from "@tributary/shared/messaging/cursor";
import { readStreamState } from "@tributary/shared/messaging/stream-state";
import { type Mesh, type MeshOptions, startMesh } from "../support/mesh.ts";
import { until } from "../support/until.ts";
import { body } from "./definitions.ts";

export interface GatewayMesh extends Mesh {
  readonly admin: Connection;
  /** Everything in TRIB_ROWS_DIRECT from a sequence on. */
  stored(from?: number): Promise<readonly StoredChunk[]>;
}

export interface StoredChunk {
  readonly message: DeliveredMessage;
  readonly chunk: RowsChunk;
}

/** Servers, a catalog and gateways. */
export async function startGatewayMesh(options: MeshOptions): Promise<GatewayMesh> {
  const mesh = await startMesh({ need: ["nats", "postgres"], services: ["direct-gateway"], ...options });
  const natsUrl = mesh.servers.nats.url("admin");
  await applyCatalog({ body, natsUrl, databaseUrl: mesh.servers.postgres.url });
  const admin = await openConnection({ url: natsUrl, name: "test" });
  await Promise.all(mesh.services.names.map((name) => gatewayReady(mesh, name)));
  return {
    ...mesh,
    admin,
    stored: (from = 1) => readStored(admin, from),
    stop: async () => {
      await admin.close();
      await mesh.stop();
    },
  };
}

/** Waits until the gateway has seen the catalog. */
export function gatewayReady(mesh: Mesh, name: string): Promise<boolean> {
  return until(async () => (await fetch(`${mesh.services.httpUrl(name)}/readyz`)).ok, { what: `${name} is ready` });
}

async function readStored(admin: Connection, from: number): Promise<readonly StoredChunk[]> {
  const { lastSequence } = await readStreamState(admin, "TRIB_ROWS_DIRECT");
  const cursor = await openCursor(admin, { stream: "TRIB_ROWS_DIRECT", filter: "trib.v1.rows.direct.>", from });
  const messages: DeliveredMessage[] = [];
  while ((messages.at(-1)?.sequence ?? from - 1) < lastSequence) messages.push(...(await cursor.next(500, 100)));
  await cursor.close();
  return messages.map((message) => ({ message, chunk: rowsOf(message) }));
}

function rowsOf(message: DeliveredMessage): RowsChunk {
  const chunk = decodeChunk(message.data);
  if (chunk.kind !== "rows") throw new Error("not rows");
  return chunk;
}

/** A POST of text as it is, or of a value as JSON; the reply's JSON. */
export async function post(url: string, payload: unknown, type = "application/json") {
  const body = typeof payload === "string" ? payload : JSON.stringify(payload);
  const response = await fetch(url, { method: "POST", body, headers: { "content-type": type } });
  return { status: response.status, headers: response.headers, body: (await response.json()) as PostReply };
}

interface PostReply {
  readonly outcomes?: readonly {
    kind: string;
    code?: string;
    message?: string;
    token?: { sequence: number; row: number };
  }[];
  readonly error?: { code: string; message: string; hint: string };
}
