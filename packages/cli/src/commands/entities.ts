import type { Entity } from "@tributary/shared/contracts/catalog";
import { type DefinitionKind, listCommand, showCommand } from "../catalog/definition-commands.ts";
import { describeEntity } from "../catalog/describe.ts";

const kind: DefinitionKind<Entity> = {
  singular: "entity",
  plural: "entities",
  unknown: "NOT_FOUND",
  of: (catalog) => catalog.entities,
  columns: ["entity", "keys", "description"],
  row: (entity) => [
    entity.name,
    entity.keys.map(({ name, type }) => `${name} ${type}`).join(", "),
    entity.description ?? "",
  ],
  describe: describeEntity,
};

export const list = listCommand(kind);
export const show = showCommand(kind);
