import { planWrite, type WritePlan } from "@tributary/shared/admission/admission";
import { TributaryError } from "@tributary/shared/contracts/errors";
import type { Bucket, Publisher } from "@tributary/shared/messaging/contract";
import type { CatalogView } from "@tributary/shared/runtime/catalog-client";
import type { Clock } from "@tributary/shared/runtime/clock-client";
import type { Logger } from "@tributary/shared/runtime/logger";
import type { Metrics } from "../metrics.ts";

/** What a write needs of the world. */
export interface WriteContext {
  readonly instance: string;
  readonly catalog: CatalogView;
  readonly clock: Clock;
  readonly publisher: Publisher;
  readonly idempotency: Bucket;
  readonly metrics: Metrics;
  readonly logger: Logger;
  /** Real ms within which the broker must have answered a publish. */
  readonly publishDeadlineMs: number;
}

/** The plan of a view in the catalog of now. @throws TributaryError UNKNOWN_VIEW, WRONG_LANE */
export function planFor({ catalog }: WriteContext, view: string): WritePlan {
  if (!catalog.current) {
    throw new TributaryError("UNKNOWN_VIEW", `there is no view "${view}": no catalog has been applied yet`);
  }
  return planWrite(catalog.current, view);
}
