import { pack } from "@tributary/shared/codec/msgpack";
import { TributaryError } from "@tributary/shared/contracts/errors";
import { subjects } from "@tributary/shared/contracts/subjects";
import { openConnection } from "@tributary/shared/messaging/connection";
import { request } from "@tributary/shared/messaging/request";
import { EventPublisher } from "./event-publisher.ts";
import { toDetailRows, toRows } from "./read-rows.ts";
import { decodeReadReply, decodeWriteReply } from "./reply-schema.ts";
import { readRequest, writeRequest } from "./requests.ts";
import { convertersOf } from "./service-converters.ts";
import type { ReadOptions, Tributary } from "./tributary.ts";

export type { Tributary } from "./tributary.ts";

export interface ConnectOptions {
  /** `nats://user:password@host:port`. */
  readonly natsUrl: string;
  /** Shown in the server's monitoring. Default `tributary-client`. */
  readonly name?: string;
  /** How long the first connection may take, ms. Default 10,000; later ones are tried for ever. */
  readonly startMsMax?: number;
}

/** Connects an application. @throws TributaryError UNAVAILABLE, BAD_CONFIG */
export async function connectTributary(options: ConnectOptions): Promise<Tributary> {
  const { natsUrl, name = "tributary-client", startMsMax = 10_000 } = options;
  const connect = (purpose: string) => openConnection({ url: natsUrl, name: purpose, startMsMax });
  const connection = await connect(name);
  const publisher = new EventPublisher(() => connect(`${name}-events`));
  const readReply: Tributary["readReply"] = async (service, keys, options = {}) => {
    const body = readRequest(nameOf(service), keys, options);
    return decodeReadReply(
      await request(connection, subjects.readFeatures, pack(body), { timeoutMs: readMs(options) }),
    );
  };
  const read = async (...[service, keys, options]: Parameters<Tributary["readReply"]>) => {
    const reply = await readReply(service, keys, options);
    const converters = typeof service === "string" ? new Map() : convertersOf(service);
    return (options?.detail === true ? toDetailRows : toRows)(reply, keys.length, converters);
  };
  const write = async (...[view, rows, options = {}]: Parameters<Tributary["write"]>) => {
    const body = writeRequest(nameOf(view), rows, options);
    const timeoutMs = options.timeoutMs ?? 5_000;
    const reply = request(connection, subjects.writeRows, pack(body), { timeoutMs });
    return decodeWriteReply(await reply.catch(unansweredIsUnknown));
  };
  const publish: Tributary["publish"] = (source: string | { name: string }, events: object, options = {}) =>
    publisher.publish(nameOf(source), Array.isArray(events) ? events : [events], options);
  return {
    // The overloads' types come from the definitions, which no value can show to the compiler.
    read: read as unknown as Tributary["read"],
    readReply,
    write: write as Tributary["write"],
    publish,
    close: async () => {
      await publisher.close();
      await connection.close();
    },
  };
}

function nameOf(definition: string | { readonly name: string }): string {
  return typeof definition === "string" ? definition : definition.name;
}

/** A write without an answer may have happened. */
function unansweredIsUnknown(error: unknown): never {
  if (!(error instanceof TributaryError) || error.code !== "DEADLINE") throw error;
  throw new TributaryError("UNKNOWN_OUTCOME", "the gateway did not answer the write in time", { cause: error });
}

function readMs({ timeoutMs = 2_000, waitMs = 1_000, after }: ReadOptions): number {
  return timeoutMs + (after ? waitMs : 0);
}
