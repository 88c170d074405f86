/**
 * Every stream, durable consumer and KV bucket, declared once. `tributary admin ensure` creates or verifies them;
 * the processes only bind. Sizes are start values for one machine; bytes and milliseconds.
 */
const minute = 60_000;
const hour = 60 * minute;
const MiB = 1024 * 1024;
const GiB = 1024 * MiB;

export interface StreamSpec {
  readonly name: StreamName;
  readonly subjects: readonly string[];
  /** `new`: full means the publisher feels it. `old`: the oldest goes; only for what can be derived again. */
  readonly discard: "new" | "old";
  readonly maxBytes: number;
  /** 0 = no age limit. */
  readonly maxAgeMs: number;
  readonly maxMessageBytes: number;
  readonly dedupeWindowMs: number;
  readonly why: string;
}

export type StreamName =
  | "TRIB_EVENTS"
  | "TRIB_KEYED"
  | "TRIB_ROWS_BATCH"
  | "TRIB_ROWS_STREAM"
  | "TRIB_ROWS_DIRECT"
  | "TRIB_CTL"
  | "TRIB_DLQ";

export const streamTable: readonly StreamSpec[] = [
  {
    name: "TRIB_EVENTS",
    subjects: ["trib.v1.events.*"],
    discard: "old",
    maxBytes: 4 * GiB,
    maxAgeMs: 48 * hour,
    maxMessageBytes: 1 * MiB,
    dedupeWindowMs: 2 * minute,
    why: "replay for longer than the longest window",
  },
  {
    name: "TRIB_KEYED",
    // Not `*.*.*`: a consumer's filter `pNN.>` would be no subset of it.
    subjects: ["trib.v1.keyed.>"],
    discard: "old",
    maxBytes: 4 * GiB,
    maxAgeMs: 48 * hour,
    maxMessageBytes: 1 * MiB,
    dedupeWindowMs: 2 * minute,
    why: "derived from events",
  },
  {
    name: "TRIB_ROWS_BATCH",
    subjects: ["trib.v1.rows.batch.*.*"],
    discard: "new",
    maxBytes: 4 * GiB,
    maxAgeMs: 0,
    maxMessageBytes: 1 * MiB,
    dedupeWindowMs: 2 * minute,
    why: "deltas do not heal by themselves",
  },
  {
    name: "TRIB_ROWS_STREAM",
    subjects: ["trib.v1.rows.stream.*.*"],
    discard: "old",
    maxBytes: 2 * GiB,
    maxAgeMs: 24 * hour,
    maxMessageBytes: 1 * MiB,
    dedupeWindowMs: 2 * minute,
    why: "can be emitted again from window state",
  },
  {
    name: "TRIB_ROWS_DIRECT",
    subjects: ["trib.v1.rows.direct.*.*"],
    discard: "new",
    maxBytes: 4 * GiB,
    maxAgeMs: 0,
    maxMessageBytes: 1 * MiB,
    dedupeWindowMs: 5 * minute,
    why: "the producer was told: accepted",
  },
  {
    name: "TRIB_CTL",
    subjects: ["trib.v1.ctl.>"],
    discard: "old",
    maxBytes: 64 * MiB,
    maxAgeMs: 30 * 24 * hour,
    maxMessageBytes: 1 * MiB,
    dedupeWindowMs: 2 * minute,
    why: "changes that late joiners look up",
  },
  {
    name: "TRIB_DLQ",
    subjects: ["trib.v1.dlq.*.*"],
    discard: "old",
    maxBytes: 1 * GiB,
    maxAgeMs: 30 * 24 * hour,
    maxMessageBytes: 2 * MiB,
    dedupeWindowMs: 10 * minute,
    why: "replayable by a person",
  },
];

export interface ConsumerSpec {
  readonly stream: StreamName;
  readonly durable: string;
  readonly ackWaitMs: number;
  readonly ackPendingMax: number;
}

/**
 * Shared durable pull consumers: explicit acks, no delivery limit (the poison rule is in the consume loop). What a killed
 * process had in hand comes again after `ackWaitMs`; one that is only slow says so at half of it, so it may be short.
 */
export const consumerTable: readonly ConsumerSpec[] = [
  { stream: "TRIB_ROWS_BATCH", durable: "online-store", ackWaitMs: 5_000, ackPendingMax: 256 },
  { stream: "TRIB_ROWS_STREAM", durable: "online-store", ackWaitMs: 5_000, ackPendingMax: 1_024 },
  { stream: "TRIB_ROWS_DIRECT", durable: "online-store", ackWaitMs: 5_000, ackPendingMax: 2_048 },
];

export interface BucketSpec {
  readonly name: BucketName;
  readonly history: number;
  /** 0 = kept for ever. */
  readonly ttlMs: number;
  readonly maxBytes: number;
  readonly why: string;
}

export type BucketName = "TRIB_CATALOG" | "TRIB_CLOCK" | "TRIB_IDEMPOTENCY" | "TRIB_ERASURES";

export const bucketTable: readonly BucketSpec[] = [
  {
    name: "TRIB_CATALOG",
    history: 1,
    ttlMs: 0,
    maxBytes: 64 * MiB,
    why: "every catalog version a stored chunk may name, and which is current",
  },
  { name: "TRIB_CLOCK", history: 1, ttlMs: 0, maxBytes: 1 * MiB, why: "the clock record" },
  {
    name: "TRIB_IDEMPOTENCY",
    history: 1,
    ttlMs: 24 * hour,
    maxBytes: 256 * MiB,
    why: "idempotency keys of direct writes",
  },
  {
    name: "TRIB_ERASURES",
    history: 1,
    ttlMs: 0,
    maxBytes: 64 * MiB,
    why: "erased entity keys, for as long as anything can be replayed",
  },
];

export const laneStream = { batch: "TRIB_ROWS_BATCH", stream: "TRIB_ROWS_STREAM", direct: "TRIB_ROWS_DIRECT" } as const;
