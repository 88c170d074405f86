import type { EntityDefinition, KeyMap } from "./entity.ts";
import type { DefinedLane, ViewDefinition } from "./view-definition.ts";
import { viewUse } from "./view-use.ts";

/** A view as a definition, which is a use of itself too. */
export function defineView<K extends KeyMap, Row, L extends DefinedLane, Written>(
  lane: L,
  name: string,
  options: ViewDefinition["options"] & { entity: EntityDefinition<K> },
): ViewDefinition<K, Row, L, Written> {
  const view = { kind: "view" as const, lane, name, entity: options.entity, options };
  return Object.assign(
    view,
    viewUse<K, Row>(() => view as unknown as ViewDefinition<K, Row>),
  );
}
