import { connect, ErrorCode, Events, type NatsConnection, NatsError, type Status } from "nats";
import { TributaryError } from "../contracts/errors.ts";
import type { Logger } from "../runtime/logger.ts";
import { bindClient, type Client, type ClientListener } from "./client.ts";
import type { Connection } from "./contract.ts";

export interface ConnectionOptions {
  /** `nats://user:password@host:port`, or `tls://…`. */
  readonly url: string;
  /** Shown in the server's monitoring. */
  readonly name: string;
  readonly logger?: Logger;
  /** How long the first connection may take, ms. Default 10,000; later ones are tried for ever. */
  readonly startMsMax?: number;
  /** For how much of it a try that failed is followed by another, ms. Default all of it. */
  readonly retryMsMax?: number;
}

const dialMsMax = 5_000;
const dialPauseMs = 200;
const drainMsMax = 5_000;
const drainDisconnectedMsMax = 500;

/**
 * Connects as the URL's user, with inbox prefix `_INBOX.<user>`; reconnects for ever.
 * @throws TributaryError UNAVAILABLE when no server answers in time; BAD_CONFIG when the URL is malformed or the user refused
 */
export async function openConnection(options: ConnectionOptions): Promise<Connection> {
  const target = parseUrl(options.url);
  const { startMsMax = 10_000, retryMsMax = startMsMax } = options;
  const began = performance.now();
  const deadlines = { answer: began + startMsMax, retry: began + Math.min(retryMsMax, startMsMax) };
  const nats = await dialUntil(target, options.name, deadlines);
  return wrap(nats, target.user, options.logger);
}

interface Target {
  readonly address: string;
  readonly user: string;
  readonly password: string;
  readonly tls: boolean;
}

function parseUrl(text: string): Target {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || url.hostname === "" || url.username === "") {
    throw new TributaryError("BAD_CONFIG", "the NATS URL must be nats://user:password@host:port");
  }
  return {
    address: `${url.hostname}:${url.port || "4222"}`,
    user: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password),
    tls: url.protocol === "tls:",
  };
}

/** Both on the clock of `performance.now()`. */
interface Deadlines {
  readonly answer: number;
  readonly retry: number;
}

async function dialUntil(target: Target, name: string, deadlines: Deadlines): Promise<NatsConnection> {
  for (;;) {
    try {
      return await dial(target, name, Math.max(1, Math.min(dialMsMax, deadlines.answer - performance.now())));
    } catch (error) {
      if (isRefusal(error)) {
        throw new TributaryError("BAD_CONFIG", `nats-server at ${target.address} refuses user "${target.user}"`);
      }
      if (performance.now() + dialPauseMs >= deadlines.retry) throw unreachable(target, error);
      await new Promise((resolve) => setTimeout(resolve, dialPauseMs));
    }
  }
}

function dial(target: Target, name: string, timeoutMs: number): Promise<NatsConnection> {
  return connect({
    servers: [target.address],
    user: target.user,
    pass: target.password,
    name,
    inboxPrefix: `_INBOX.${target.user}`,
    timeout: timeoutMs,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 250,
    reconnectJitter: 250,
    pingInterval: 10_000,
    maxPingOut: 2,
    noAsyncTraces: true,
    resolve: false,
    ...(target.tls ? { tls: {} } : {}),
  });
}

function isRefusal(error: unknown): boolean {
  return error instanceof NatsError && (error.isAuthError() || error.code === ErrorCode.AuthorizationViolation);
}

function unreachable(target: Target, cause: unknown): TributaryError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new TributaryError("UNAVAILABLE", `no nats-server answers at ${target.address} (${why}); is it running?`);
}

function wrap(nats: NatsConnection, user: string, logger: Logger | undefined): Connection {
  const listeners = new Set<ClientListener>();
  let connected = true;
  const client: Client = {
    nats,
    logger,
    user,
    isConnected: () => connected && !nats.isClosed(),
    listen: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  const tell = (name: "onDisconnect" | "onReconnect" | "onClosed") => {
    for (const listener of listeners) listener[name]?.();
  };
  const onStatus = (status: Status) => {
    if (status.type === Events.Disconnect) connected = false;
    if (status.type === Events.Reconnect) connected = true;
    logStatus(status, logger);
    if (status.type === Events.Disconnect) tell("onDisconnect");
    if (status.type === Events.Reconnect) tell("onReconnect");
    if (status.type === Events.LDM) void nats.reconnect();
    if (status.permissionContext?.operation === "publish") {
      for (const listener of listeners) listener.onPublishRefused?.(status.permissionContext.subject);
    }
  };
  void watchStatus(nats, onStatus);
  const closed = nats.closed().then((error) => {
    connected = false;
    tell("onClosed");
    return error instanceof Error ? error : undefined;
  });
  const connection = describe(nats, user, closed, () => close(nats, connected));
  bindClient(connection, client);
  return connection;
}

function describe(
  nats: NatsConnection,
  user: string,
  closed: Connection["closed"],
  close: () => Promise<void>,
): Connection {
  return {
    user,
    serverVersion: nats.info?.version ?? "unknown",
    get payloadMax() {
      return nats.info?.max_payload ?? 1024 * 1024;
    },
    closed,
    close,
  };
}

async function watchStatus(nats: NatsConnection, onStatus: (status: Status) => void): Promise<void> {
  for await (const status of nats.status()) onStatus(status);
}

function logStatus(status: Status, logger: Logger | undefined): void {
  const { type } = status;
  if (type === Events.Disconnect) logger?.warn("lost the connection to nats-server; reconnecting");
  if (type === Events.Reconnect) logger?.info("connected to nats-server again");
  if (type === Events.LDM) logger?.warn("nats-server is shutting down; connecting to another");
  if (type === Events.Error)
    logger?.error({ broker: status.data, permission: status.permissionContext }, "nats-server");
}

async function close(nats: NatsConnection, connected: boolean): Promise<void> {
  if (nats.isClosed()) return;
  let timer: NodeJS.Timeout | undefined;
  const bound = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, connected ? drainMsMax : drainDisconnectedMsMax);
  });
  await Promise.race([nats.isDraining() ? nats.closed() : nats.drain(), bound]);
  clearTimeout(timer);
  await nats.close();
}
