import { type Servers, startServers } from "@tributary/local/servers";
import type { PrincipalName } from "@tributary/shared/contracts/principals";
import { openConnection } from "@tributary/shared/messaging/connection";
import type { Connection } from "@tributary/shared/messaging/contract";
import { ensureTopology } from "@tributary/shared/messaging/topology-admin";
import { temporaryDirectory } from "../support/temporary-directory.ts";

/** A private nats-server with all streams, and connections to it that are closed with it. */
export interface Broker {
  readonly nats: Servers["nats"];
  /** A connection of its own. */
  connect(user: PrincipalName): Promise<Connection>;
  stop(): Promise<void>;
}

export async function startBroker(): Promise<Broker> {
  const directory = temporaryDirectory("messaging");
  const servers = await startServers({ directory: directory.path, need: ["nats"] });
  const connections: Connection[] = [];
  const connect = async (user: PrincipalName) => {
    const connection = await openConnection({ url: servers.nats.url(user), name: `test ${user}` });
    connections.push(connection);
    return connection;
  };
  await ensureTopology(await connect("admin"));
  return {
    nats: servers.nats,
    connect,
    stop: async () => {
      await Promise.all(connections.map((connection) => connection.close()));
      await servers.stop();
      directory.remove();
    },
  };
}

export function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

export function text(data: Uint8Array): string {
  return new TextDecoder().decode(data);
}
