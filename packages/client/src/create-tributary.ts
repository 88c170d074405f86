import { pack } from "@tributary/shared/codec/msgpack";
import { TributaryError } from "@tributary/shared/contracts/errors";
import type { ReadReply } from "@tributary/shared/contracts/read";
import { EventPublisher } from "./event-publisher.ts";
import { PageSizes } from "./page-sizes.ts";
import { readInPages } from "./paged-read.ts";
import { toDetailRows, toRows } from "./read-rows.ts";
import { decodeReadReply, decodeWriteReply } from "./reply-schema.ts";
import { type QueueOptions, RequestQueue } from "./request-queue.ts";
import { readRequest, writeRequest } from "./requests.ts";
import { convertersOf } from "./service-converters.ts";
import type { Transport } from "./transport.ts";
import type { ReadOptions, Tributary } from "./tributary.ts";

/** Bounds of one client. */
export interface ClientBounds {
  /** Requests on their way at once; further ones wait. Default 64. */
  readonly inFlightMax?: number;
  /** Requests that may wait, their deadline running; above it OVERLOADED. Default 1,000. */
  readonly waitingMax?: number;
}

const boundsDefault: QueueOptions = { inFlightMax: 64, waitingMax: 1_000 };

/** What an application uses, on top of any transport. */
export function createTributary(transport: Transport, { inFlightMax, waitingMax }: ClientBounds = {}): Tributary {
  const queue = new RequestQueue({
    inFlightMax: inFlightMax ?? boundsDefault.inFlightMax,
    waitingMax: waitingMax ?? boundsDefault.waitingMax,
  });
  const publisher = new EventPublisher((message) => transport.publish(message));
  const sizes = new PageSizes();
  let isClosed = false;
  const ask = <T>(timeoutMs: number, work: (leftMs: number) => Promise<T>): Promise<T> =>
    isClosed ? Promise.reject(closed()) : queue.run(timeoutMs, work);
  const readReply: Tributary["readReply"] = (service, keys, options = {}) =>
    readInPages({
      keys,
      timeoutMs: readMs(options),
      size: sizes.of(kindOf(nameOf(service), options)),
      readPage: (page, timeoutMs) =>
        ask(timeoutMs, async (leftMs): Promise<ReadReply> => {
          const body = pack(readRequest(nameOf(service), page, options));
          return decodeReadReply(await transport.read(body, leftMs));
        }),
    });
  const read = async (...[service, keys, options]: Parameters<Tributary["readReply"]>) => {
    const reply = await readReply(service, keys, options);
    const converters = typeof service === "string" ? new Map() : convertersOf(service);
    return (options?.detail === true ? toDetailRows : toRows)(reply, keys.length, converters);
  };
  const write = async (...[view, rows, options = {}]: Parameters<Tributary["write"]>) => {
    const body = pack(writeRequest(nameOf(view), rows, options));
    return decodeWriteReply(await ask(options.timeoutMs ?? 5_000, (leftMs) => transport.write(body, leftMs)));
  };
  const publish: Tributary["publish"] = async (source: string | { name: string }, events: object, options = {}) => {
    if (isClosed) throw closed();
    return publisher.publish(nameOf(source), Array.isArray(events) ? events : [events], options);
  };
  return {
    // The overloads' types come from the definitions, which no value can show to the compiler.
    read: read as unknown as Tributary["read"],
    readReply,
    write: write as Tributary["write"],
    publish,
    close: async () => {
      isClosed = true;
      await publisher.close();
      await transport.close();
    },
  };
}

function nameOf(definition: string | { readonly name: string }): string {
  return typeof definition === "string" ? definition : definition.name;
}

/** Whatever decides how large a row of the reply is. */
function kindOf(service: string, { detail, features }: ReadOptions): string {
  return [service, detail === true ? "detail" : "", ...(features ?? [])].join(" ");
}

function closed(): TributaryError {
  return new TributaryError("UNAVAILABLE", "this client was closed");
}

function readMs({ timeoutMs = 2_000, waitMs = 1_000, after }: ReadOptions): number {
  return timeoutMs + (after ? waitMs : 0);
}
