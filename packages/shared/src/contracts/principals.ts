import type { BucketName, StreamName } from "./topology.ts";

/**
 * One broker user a process, each with exactly what it needs, from the first day. Inboxes are `_INBOX.<user>.>`: nobody reads
 * another's replies, and the second token of a reply subject names who asks. Responders publish by `allow_responses` alone.
 */
export type PrincipalName =
  | "admin"
  | "batch-runner"
  | "stream-processor"
  | "direct-gateway"
  | "online-store"
  | "client";

export interface Principal {
  readonly name: PrincipalName;
  /** Subjects it may publish to. */
  readonly publish: readonly string[];
  /** Subjects it may subscribe to. */
  readonly subscribe: readonly string[];
  /** May answer requests on subjects that it may not publish to otherwise. */
  readonly responds: boolean;
  readonly why: string;
}

const catalogAndClock = [...bucketReads("TRIB_CATALOG"), ...bucketReads("TRIB_CLOCK")];

export const principalTable: readonly Principal[] = [
  {
    name: "admin",
    publish: [">"],
    subscribe: [">"],
    responds: false,
    why: "creates streams, consumers and buckets; applies catalogs; sets the clock",
  },
  {
    name: "batch-runner",
    publish: [
      ...catalogAndClock,
      ...streamReads("TRIB_ROWS_BATCH"),
      "$JS.API.CONSUMER.INFO.TRIB_ROWS_BATCH.online-store",
      "trib.v1.rows.batch.*.*",
      ...bucketReads("TRIB_ERASURES"),
      "$KV.TRIB_ERASURES.receipt.*.batch-runner",
      "trib.v1.dlq.*.*",
    ],
    subscribe: [inbox("batch-runner"), "$SRV.>", "trib.v1.batch.>"],
    responds: true,
    why: "publishes the batch lane's rows and confirmations",
  },
  {
    name: "stream-processor",
    publish: [
      ...catalogAndClock,
      ...cursorReads("TRIB_EVENTS"),
      ...cursorReads("TRIB_KEYED"),
      ...streamReads("TRIB_ROWS_STREAM"),
      ...bucketReads("TRIB_ERASURES"),
      "$KV.TRIB_ERASURES.receipt.*.stream-processor",
      "trib.v1.keyed.*.*.*",
      "trib.v1.rows.stream.*.*",
      "trib.v1.dlq.*.*",
    ],
    subscribe: [inbox("stream-processor"), "$SRV.>", "trib.v1.stream.>"],
    responds: true,
    why: "reads events, writes its keyed series and the stream lane's rows",
  },
  {
    name: "direct-gateway",
    publish: [
      ...catalogAndClock,
      ...bucketReads("TRIB_IDEMPOTENCY"),
      "$KV.TRIB_IDEMPOTENCY.>",
      ...streamReads("TRIB_ROWS_DIRECT"),
      "trib.v1.rows.direct.*.*",
      "trib.v1.events.*",
    ],
    subscribe: [inbox("direct-gateway"), "$SRV.>", "trib.v1.write.>", "trib.v1.gateway.>"],
    responds: true,
    why: "publishes the direct lane's rows, passes on events that come over HTTP, and keeps idempotency keys",
  },
  {
    name: "online-store",
    publish: [
      ...catalogAndClock,
      ...(["TRIB_ROWS_BATCH", "TRIB_ROWS_STREAM", "TRIB_ROWS_DIRECT"] as const).flatMap((stream) => [
        ...durableReads(stream, "online-store"),
        ...cursorReads(stream),
        `$JS.API.STREAM.MSG.DELETE.${stream}`,
      ]),
      ...bucketReads("TRIB_ERASURES"),
      "$KV.TRIB_ERASURES.receipt.*.online-store",
      "trib.v1.dlq.*.*",
    ],
    subscribe: [inbox("online-store"), "$SRV.>", "trib.v1.read.>", "trib.v1.store.>"],
    responds: true,
    why: "applies the rows of all lanes and answers reads",
  },
  {
    name: "client",
    publish: [
      ...catalogAndClock,
      "$JS.API.STREAM.INFO.TRIB_EVENTS",
      "trib.v1.events.>",
      "trib.v1.read.>",
      "trib.v1.write.>",
      "trib.v1.*.status",
      "trib.v1.batch.run",
      "$SRV.>",
    ],
    subscribe: [inbox("client")],
    responds: false,
    why: "applications: publish events, write and read features",
  },
];

/** Whose header `Tributary-Principal` is believed: they have checked the caller themselves. */
export const trustedFronts: ReadonlySet<string> = new Set<PrincipalName>(["admin", "direct-gateway", "online-store"]);

/** The `permissions` block of this user in a nats-server configuration (its format takes JSON). */
export function brokerPermissions(principal: Principal) {
  return {
    publish: { allow: principal.publish },
    subscribe: { allow: principal.subscribe },
    ...(principal.responds ? { allow_responses: { max: 1, expires: "1m" } } : {}),
  };
}

function inbox(user: PrincipalName): string {
  return `_INBOX.${user}.>`;
}

function streamReads(stream: StreamName | `KV_${BucketName}`): string[] {
  return [`$JS.API.STREAM.INFO.${stream}`, `$JS.API.STREAM.MSG.GET.${stream}`];
}

/** Ephemeral consumers of its own. */
function cursorReads(stream: StreamName | `KV_${BucketName}`): string[] {
  const verbs = ["CREATE", "INFO", "MSG.NEXT", "DELETE"];
  return [...streamReads(stream), ...verbs.map((verb) => `$JS.API.CONSUMER.${verb}.${stream}.>`)];
}

function bucketReads(bucket: BucketName): string[] {
  return cursorReads(`KV_${bucket}`);
}

/** The second acknowledgement form is that of servers from 2.15 on, and of leaf nodes. */
function durableReads(stream: StreamName, durable: string): string[] {
  return [
    `$JS.API.CONSUMER.INFO.${stream}.${durable}`,
    `$JS.API.CONSUMER.MSG.NEXT.${stream}.${durable}`,
    `$JS.ACK.${stream}.${durable}.>`,
    `$JS.ACK.*.*.${stream}.${durable}.>`,
  ];
}
