import { openConnection } from "@tributary/shared/messaging/connection";
import { type ClientBounds, createTributary } from "./create-tributary.ts";
import { NatsTransport } from "./nats-transport.ts";
import type { Tributary } from "./tributary.ts";

export type { Tributary } from "./tributary.ts";

export interface ConnectOptions extends ClientBounds {
  /** `nats://user:password@host:port`. */
  readonly natsUrl: string;
  /** Shown in the server's monitoring. Default `tributary-client`. */
  readonly name?: string;
  /** How long the first connection may take, ms. Default 10,000; later ones are tried for ever. */
  readonly startMsMax?: number;
  /** For how much of it a try that failed is followed by another, ms. Default all of it. */
  readonly retryMsMax?: number;
}

/** Connects an application. @throws TributaryError UNAVAILABLE, BAD_CONFIG */
export async function connectTributary(options: ConnectOptions): Promise<Tributary> {
  const { natsUrl, name = "tributary-client", startMsMax = 10_000, retryMsMax = startMsMax } = options;
  const connect = (purpose: string) => openConnection({ url: natsUrl, name: purpose, startMsMax, retryMsMax });
  const connection = await connect(name);
  return createTributary(new NatsTransport(connection, () => connect(`${name}-events`)), options);
}
