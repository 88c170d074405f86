import type { EntityDefinition } from "./entity.ts";
import type { FeatureServiceDefinition } from "./feature-service.ts";
import type { OnDemandDefinition } from "./on-demand.ts";
import type { EventSourceDefinition, TableSourceDefinition } from "./source.ts";
import type { ViewDefinition } from "./view-definition.ts";

/** Whatever a definitions module may export. */
export type Definition =
  | EntityDefinition
  | EventSourceDefinition
  | TableSourceDefinition
  | ViewDefinition
  | OnDemandDefinition
  | FeatureServiceDefinition;
