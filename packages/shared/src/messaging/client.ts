import type { NatsConnection } from "nats";
import { TributaryError } from "../contracts/errors.ts";
import type { Logger } from "../runtime/logger.ts";
import type { Connection } from "./contract.ts";

/**
 * The broker's client behind a `Connection`, for this folder alone. Whatever was sent while disconnected is lost by that
 * client, acknowledgements and requests included, so everybody who waits for an answer listens here.
 */
export interface Client {
  readonly nats: NatsConnection;
  readonly logger: Logger | undefined;
  readonly user: string;
  isConnected(): boolean;
  /** Returns a function that ends the subscription. */
  listen(listener: ClientListener): () => void;
}

export interface ClientListener {
  readonly onDisconnect?: () => void;
  readonly onReconnect?: () => void;
  /** The server refused a publish to this subject. */
  readonly onPublishRefused?: (subject: string) => void;
  readonly onClosed?: () => void;
}

const clients = new WeakMap<Connection, Client>();

export function bindClient(connection: Connection, client: Client): void {
  clients.set(connection, client);
}

export function clientOf(connection: Connection): Client {
  const client = clients.get(connection);
  if (client === undefined) throw new TributaryError("INTERNAL", "a connection that openConnection did not make");
  return client;
}

/** Resolves when connected or closed, or after `withinMs` all the same: what is sent while disconnected is lost. */
export async function connected(client: Client, withinMs: number): Promise<void> {
  if (client.isConnected() || client.nats.isClosed()) return;
  const next = reconnection(client);
  let timer: NodeJS.Timeout | undefined;
  const bound = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, withinMs);
  });
  await Promise.race([next.done, bound]);
  clearTimeout(timer);
  next.forget();
}

/** The next reconnect, or the end of the connection. */
export function reconnection(client: Client): { readonly done: Promise<void>; readonly forget: () => void } {
  let forget = () => {};
  const done = new Promise<void>((resolve) => {
    forget = client.listen({ onReconnect: resolve, onClosed: resolve });
  });
  return { done, forget };
}
