import { TributaryError } from "@tributary/shared/contracts/errors";
import { columnsHeader, packedColumns } from "@tributary/shared/contracts/read";
import type { PublishAck } from "@tributary/shared/messaging/contract";
import { type HttpCall, post } from "./http-request.ts";
import { decodePublishAck } from "./reply-schema.ts";
import { RequestQueue } from "./request-queue.ts";
import type { EventMessage, Transport } from "./transport.ts";

export interface HttpTargets {
  readonly store: URL | undefined;
  readonly gateway: URL | undefined;
  readonly headers: Readonly<Record<string, string>>;
}

const publishMsMax = 30_000;
/** Messages of events on their way at once; what waits behind them is bounded by the batcher, in bytes. */
const eventMessagesAtOnce = 8;

/** The store's and the gateway's HTTP endpoints, in msgpack. Node's `fetch` keeps the connections open. */
export class HttpTransport implements Transport {
  readonly #targets: HttpTargets;
  readonly #events = new RequestQueue({ inFlightMax: eventMessagesAtOnce, waitingMax: Number.POSITIVE_INFINITY });

  constructor(targets: HttpTargets) {
    this.#targets = targets;
  }

  async read(body: Uint8Array, timeoutMs: number): Promise<Uint8Array> {
    const to = this.#to("store", "v1/features/read");
    const headers = { ...to.headers, [columnsHeader]: packedColumns };
    return post({ ...to, headers, body, timeoutMs, isRepeatable: true });
  }

  async write(body: Uint8Array, timeoutMs: number): Promise<Uint8Array> {
    return post({ ...this.#to("gateway", "v1/rows"), body, timeoutMs, isRepeatable: false });
  }

  /** The id makes a repeated message harmless. Messages of one source may be stored in another order than they were sent. */
  async publish({ source, data, id }: EventMessage): Promise<PublishAck> {
    const call = this.#to("gateway", `v1/events/${source}?id=${encodeURIComponent(id)}`);
    return this.#events.run(publishMsMax, async (timeoutMs) =>
      decodePublishAck(await post({ ...call, body: data, timeoutMs, isRepeatable: true })),
    );
  }

  async close(): Promise<void> {}

  #to(service: "store" | "gateway", path: string): Pick<HttpCall, "url" | "service" | "headers"> {
    const base = this.#targets[service];
    if (base === undefined) throw new TributaryError("BAD_CONFIG", `this client was connected without ${service}Url`);
    return { url: new URL(path, base), service, headers: this.#targets.headers };
  }
}
