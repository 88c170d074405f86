import type { BucketSpec, ConsumerSpec, StreamSpec } from "../contracts/topology.ts";

/** The broker's own names for what `contracts/topology.ts` declares: exactly the fields that we own. Durations in ns. */
export type ResourceConfig = Readonly<Record<string, string | number | boolean | readonly string[]>>;

const nsPerMs = 1_000_000;
const dedupeMsMax = 120_000;

export function streamConfig(spec: StreamSpec): ResourceConfig {
  return {
    name: spec.name,
    subjects: spec.subjects,
    retention: "limits",
    storage: "file",
    discard: spec.discard,
    num_replicas: 1,
    max_bytes: spec.maxBytes,
    max_age: spec.maxAgeMs * nsPerMs,
    max_msg_size: spec.maxMessageBytes,
    max_msgs: -1,
    max_msgs_per_subject: -1,
    max_consumers: -1,
    duplicate_window: spec.dedupeWindowMs * nsPerMs,
  };
}

/** A stream that every key-value client understands. */
export function bucketConfig(spec: BucketSpec): ResourceConfig {
  return {
    name: `KV_${spec.name}`,
    subjects: [`$KV.${spec.name}.>`],
    retention: "limits",
    storage: "file",
    discard: "new",
    num_replicas: 1,
    max_bytes: spec.maxBytes,
    max_age: spec.ttlMs * nsPerMs,
    max_msg_size: -1,
    max_msgs: -1,
    max_msgs_per_subject: spec.history,
    max_consumers: -1,
    duplicate_window: (spec.ttlMs === 0 ? dedupeMsMax : Math.min(spec.ttlMs, dedupeMsMax)) * nsPerMs,
    allow_rollup_hdrs: true,
    deny_delete: true,
    allow_direct: true,
  };
}

export function consumerConfig(spec: ConsumerSpec): ResourceConfig {
  return {
    durable_name: spec.durable,
    deliver_policy: "all",
    replay_policy: "instant",
    ack_policy: "explicit",
    ack_wait: spec.ackWaitMs * nsPerMs,
    max_ack_pending: spec.ackPendingMax,
    max_deliver: -1,
  };
}

/** The server refuses these on a stream or consumer that exists, or (below 2.9.12) takes them without effect. */
export const fixedFields: ReadonlySet<string> = new Set([
  "name",
  "durable_name",
  "retention",
  "storage",
  "max_consumers",
  "deny_delete",
  "allow_direct",
  "deliver_policy",
  "replay_policy",
  "ack_policy",
]);

/** Fields whose actual value is not the wanted one. A server leaves out what is false, 0 or unlimited. */
export function differingFields(wanted: ResourceConfig, actual: Readonly<Record<string, unknown>>): string[] {
  return Object.keys(wanted).filter((field) => !isSame(wanted[field], actual[field]));
}

function isSame(wanted: ResourceConfig[string] | undefined, actual: unknown): boolean {
  if (actual === undefined || actual === null) return wanted === false || wanted === 0 || wanted === -1;
  return JSON.stringify(wanted) === JSON.stringify(actual);
}
