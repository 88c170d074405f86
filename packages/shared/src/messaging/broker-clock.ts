import { nuid } from "nats";
import type { StreamName } from "../contracts/topology.ts";
import type { Connection } from "./contract.ts";
import { callApiOn } from "./jetstream-api.ts";

export interface BrokerClock {
  /** The broker's clock minus this machine's, ms; 0 within what the round trip leaves open. */
  readonly skewMs: number;
  /** How far the true skew may be from `skewMs`, ms. */
  readonly uncertaintyMs: number;
}

/** Drops the consumer in case that we cannot, ns. */
const inactiveNs = 5e9;

/**
 * Compares clocks: the broker writes its time into a consumer that is made for this alone and deleted at once; no message is stored.
 * @throws TributaryError MISSING_RESOURCE naming the stream; UNAVAILABLE; BAD_CONFIG without an administrator's rights
 */
export async function readBrokerClock(connection: Connection, stream: StreamName): Promise<BrokerClock> {
  const name = `clock-${nuid.next()}`;
  const config = {
    name,
    deliver_policy: "new",
    ack_policy: "none",
    inactive_threshold: inactiveNs,
    mem_storage: true,
    num_replicas: 1,
    filter_subject: "",
  };
  const before = Date.now();
  const { created } = await callApiOn<{ readonly created: string }>(
    connection,
    `CONSUMER.CREATE.${stream}.${name}`,
    `stream ${stream}`,
    { stream_name: stream, config },
  );
  const after = Date.now();
  await callApiOn(connection, `CONSUMER.DELETE.${stream}.${name}`, `stream ${stream}`);
  const uncertaintyMs = (after - before) / 2;
  const offset = Date.parse(created) - (before + uncertaintyMs);
  return { skewMs: Math.abs(offset) <= uncertaintyMs + 1 ? 0 : Math.round(offset), uncertaintyMs };
}
