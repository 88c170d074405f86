import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ensureEnvironment } from "@tributary/cli/admin/ensure";
import { type Servers, startServers } from "@tributary/local/servers";
import { type Services, startServices } from "@tributary/local/supervisor";

/** Servers on free ports, streams, tables and services, in a folder that goes with them. */
export interface Mesh {
  readonly servers: Servers;
  readonly services: Services;
  stop(): Promise<void>;
}

export interface MeshOptions {
  /** Instances to start; default one of each service. */
  readonly services?: readonly string[];
  /** Further variables for every service. Not LOG_LEVEL: a service tells in its log that it is ready. */
  readonly environment?: Readonly<Record<string, string>>;
}

export async function withMesh<T>(options: MeshOptions, work: (mesh: Mesh) => Promise<T>): Promise<T> {
  const mesh = await startMesh(options);
  try {
    return await work(mesh);
  } finally {
    await mesh.stop();
  }
}

async function startMesh({ services: names, environment = {} }: MeshOptions): Promise<Mesh> {
  const directory = await mkdtemp(join(tmpdir(), "tributary-bench-"));
  const undo: (() => Promise<void>)[] = [() => rm(directory, { recursive: true, force: true })];
  const stop = async () => {
    for (const step of undo.splice(0).reverse()) await step();
  };
  try {
    const servers = await startServers({ directory });
    undo.push(() => servers.stop());
    await ensureEnvironment({ natsUrl: servers.nats.url("admin"), databaseUrl: servers.postgres.url });
    const services = await startServices({ servers, environment, ...(names && { names }) });
    undo.push(() => services.stop());
    return { servers, services, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
