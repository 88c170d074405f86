import { limits } from "@tributary/shared/contracts/limits";
import { subjects } from "@tributary/shared/contracts/subjects";
import { publishDeadLetter } from "@tributary/shared/messaging/dead-letter";
import { encodeKeyedChunk, type KeyedChunk, type KeyedItem } from "../core/keyed-item.ts";
import type { PoisonEvent, Series } from "../core/route-batch.ts";
import type { EntityPlan, RoutingPlan } from "../core/routing-plan.ts";
import type { Parts } from "./parts.ts";

/** Who routes, and from which incarnation of TRIB_EVENTS. */
export interface RouteIdentity {
  readonly source: string;
  readonly shard: number;
  readonly incarnation: number;
  readonly fence: number;
}

/** An item is about a hundred bytes. */
const itemsPerChunk = 1_000;

/** Publishes every series, its chunks one after the other's acknowledgement, the series side by side. */
export async function publishSeries(
  parts: Parts,
  plan: RoutingPlan,
  identity: RouteIdentity,
  batch: readonly Series[],
): Promise<void> {
  await Promise.all(
    batch.map(async ({ partition, entity, items }) => {
      for (let at = 0; at < items.length; at += itemsPerChunk) {
        const chunk = chunkOf(parts, plan, identity, { partition, entity, items: items.slice(at, at + itemsPerChunk) });
        await publishInOrder(parts, chunk);
      }
    }),
  );
}

/** A mark in every series of the source: it stands behind all that was read (C1). */
export async function publishMarks(
  parts: Parts,
  plan: RoutingPlan,
  identity: RouteIdentity,
  markMs: number,
): Promise<void> {
  const partitions = Array.from({ length: plan.partitions }, (_, partition) => partition);
  const chunks = plan.entities.flatMap((entity) =>
    partitions.map((partition) => ({ ...chunkOf(parts, plan, identity, { partition, entity, items: [] }), markMs })),
  );
  await Promise.all(chunks.map((chunk) => publishInOrder(parts, chunk)));
}

/** O4: set aside with the cause, stored before the position may move on. */
export async function publishPoison(
  parts: Parts,
  identity: RouteIdentity,
  poison: readonly PoisonEvent[],
): Promise<void> {
  await Promise.all(
    poison.map(({ sequence, index, payload, error }) =>
      publishDeadLetter(parts.publishing, {
        lane: "stream",
        process: "stream-processor",
        stream: "TRIB_EVENTS",
        sequence,
        subject: subjects.events(identity.source),
        code: error.code,
        cause: index < 0 ? error.message : `event ${index} of the message: ${error.message}`,
        deliveries: 1,
        payload,
        part: String(index),
      }),
    ),
  );
}

async function publishInOrder(parts: Parts, chunk: KeyedChunk): Promise<void> {
  const data = encodeKeyedChunk(chunk);
  if (data.length > limits.chunkBytesMax && chunk.items.length > 1) {
    const middle = chunk.items.length >>> 1;
    await publishInOrder(parts, { ...chunk, items: chunk.items.slice(0, middle) });
    await publishInOrder(parts, { ...chunk, items: chunk.items.slice(middle) });
    return;
  }
  await parts.keyed.publish({ subject: subjects.keyed(chunk.partition, chunk.source, chunk.entity), data });
}

function chunkOf(
  parts: Parts,
  plan: RoutingPlan,
  identity: RouteIdentity,
  { partition, entity, items }: { partition: number; entity: EntityPlan; items: readonly KeyedItem[] },
): KeyedChunk {
  return {
    source: identity.source,
    sourceVersion: plan.source.version,
    shard: identity.shard,
    entity: entity.entity.name,
    partition,
    incarnation: identity.incarnation,
    catalogVersion: plan.catalogVersion,
    producer: parts.instance,
    fence: identity.fence,
    views: entity.views.map(({ name, version }) => [name, version] as const),
    fields: entity.columns.map(({ name }) => name),
    items,
  };
}
