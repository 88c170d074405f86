import { decodePayload, encodePayload } from "@tributary/shared/codec/json-or-msgpack";
import { subjects } from "@tributary/shared/contracts/subjects";
import { openBucket } from "@tributary/shared/messaging/bucket";
import type { Connection, Endpoint } from "@tributary/shared/messaging/contract";
import { openStreamCursor } from "@tributary/shared/messaging/cursor";
import type { CatalogView } from "@tributary/shared/runtime/catalog-client";
import type { Logger } from "@tributary/shared/runtime/logger";
import { redisRecords } from "./adapters/redis-records.ts";
import type { RedisServers } from "./adapters/redis-servers.ts";
import { ErasedRecords } from "./handlers/erased-records.ts";
import { type Erasures, followErasures } from "./handlers/follow-erasures.ts";
import { verifyErasure } from "./handlers/verify-erasure.ts";

/** All that the store does about erasures. */
export interface Erasing extends Erasures {
  /** Answers what is left of an erased key. */
  endpoint(epoch: () => string): Endpoint;
}

export interface ErasingParts {
  readonly service: string;
  readonly instance: string;
  readonly logger: Logger;
  readonly broker: Connection;
  readonly redis: RedisServers;
  readonly catalog: CatalogView;
}

/** @throws TributaryError UNAVAILABLE, MISSING_RESOURCE */
export async function openErasing({ broker, redis, catalog, ...rest }: ErasingParts): Promise<Erasing> {
  const bucket = await openBucket(broker, "TRIB_ERASURES");
  const stream = `KV_${bucket.name}`;
  const open = () => openStreamCursor(broker, { stream, filter: `$KV.${bucket.name}.>`, from: 0 });
  const records = redisRecords(redis);
  const places = new ErasedRecords(catalog, rest.logger);
  const erasures = await followErasures({ bucket, open, records, places, ...rest });
  return {
    erasedAt: erasures.erasedAt,
    appliedIn: (epoch) => erasures.appliedIn(epoch),
    start: (epoch) => erasures.start(epoch),
    stop: () => erasures.stop(),
    endpoint: (epoch) => ({
      name: "verify-erasure",
      subject: subjects.storeErasure,
      handle: async ({ data }) => {
        const { value } = decodePayload(data);
        return encodePayload(await verifyErasure({ bucket, records, places, epoch }, value), "json");
      },
    }),
  };
}
