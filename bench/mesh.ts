import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ensureEnvironment } from "@tributary/cli/admin/ensure";
import { type ServerName, serverNames } from "@tributary/local/find-binaries";
import { type Servers, startServers } from "@tributary/local/servers";
import { type Services, startServices } from "@tributary/local/supervisor";
import type { Catalog } from "@tributary/shared/contracts/catalog";
import { openBucket } from "@tributary/shared/messaging/bucket";
import { openConnection } from "@tributary/shared/messaging/connection";
import { currentKey, versionKey } from "@tributary/shared/runtime/catalog-client";
import { interruptible } from "./interruption.ts";

/** Servers on free ports, streams, tables and services, in a folder that goes with them. */
export interface Mesh {
  readonly servers: Servers;
  readonly services: Services;
  stop(): Promise<void>;
}

export interface MeshOptions {
  /** Instances to start; default one of each service. */
  readonly services?: readonly string[];
  /** Default: all three servers. */
  readonly need?: readonly ServerName[];
  /** Current before the services start; default none. */
  readonly catalog?: Catalog;
  /** Further variables for every service. Not LOG_LEVEL: a service tells in its log that it is ready. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Further variables for one instance, by its name. */
  readonly environments?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** Stopped, and its folder removed, whatever becomes of the work. @throws Refusal when somebody pressed Ctrl-C */
export function withMesh<T>(options: MeshOptions, work: (mesh: Mesh) => Promise<T>): Promise<T> {
  return interruptible(async ({ signal, orInterrupted }) => {
    const mesh = await startMesh(options);
    try {
      signal.throwIfAborted();
      return await orInterrupted(work(mesh));
    } finally {
      await mesh.stop();
    }
  });
}

async function startMesh(options: MeshOptions): Promise<Mesh> {
  const { services: names, environment = {}, environments = {}, need = serverNames, catalog } = options;
  const directory = await mkdtemp(join(tmpdir(), "tributary-bench-"));
  const undo: (() => Promise<void>)[] = [() => rm(directory, { recursive: true, force: true })];
  const stop = async () => {
    for (const step of undo.splice(0).reverse()) await step();
  };
  try {
    const servers = await startServers({ directory, need });
    undo.push(() => servers.stop());
    const databaseUrl = need.includes("postgres") ? servers.postgres.url : undefined;
    await ensureEnvironment({ natsUrl: servers.nats.url("admin"), databaseUrl });
    if (catalog !== undefined) await putCatalog(servers.nats.url("admin"), catalog);
    const services = await startServices({ servers, environment, environments, ...(names && { names }) });
    undo.push(() => services.stop());
    return { servers, services, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Straight into the bucket: no history, no plan. */
async function putCatalog(natsUrl: string, catalog: Catalog): Promise<void> {
  const connection = await openConnection({ url: natsUrl, name: "bench-catalog" });
  const json = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
  const { version, fingerprint } = catalog;
  try {
    const bucket = await openBucket(connection, "TRIB_CATALOG");
    await bucket.put(versionKey(version), json(catalog));
    await bucket.put(currentKey, json({ version, fingerprint }));
  } finally {
    await connection.close();
  }
}
