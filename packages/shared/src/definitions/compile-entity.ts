import type { Entity } from "../contracts/catalog.ts";
import { type KeyType, keyTypeSchema } from "../contracts/feature.ts";
import type { EntityDefinition } from "./entity.ts";
import { checkLabels, labelsOf } from "./labels.ts";
import { checkNames } from "./names.ts";
import type { Problems } from "./problems.ts";

const keysMax = 8;

/** An entity as catalog data; problems are collected. */
export function compileEntity(entity: EntityDefinition, problems: Problems): Entity {
  const problem = (why: string) => void problems.add(entity, why);
  const keys = Object.entries(entity.key).map(([name, { type }]) => ({ name, type: type as KeyType }));
  checkNames("key", Object.keys(entity.key), problem);
  checkLabels(entity, problem);
  if (keys.length > keysMax) problem(`has ${keys.length} keys; at most ${keysMax} are allowed`);
  for (const [name, definition] of Object.entries(entity.key)) {
    const { type } = definition;
    if (!keyTypeSchema.safeParse(type).success)
      problem(`key "${name}" is ${type}; use string, int64 or uuid, which have one text for each value`);
    // `as` says how an int64 key looks in TypeScript; it takes the whole range in any case.
    const said = "options" in definition ? Object.keys(definition.options).filter((option) => option !== "as") : [];
    if (said.length > 0) problem(`key "${name}" has ${said.join(", ")}, which a key does not take; remove it`);
  }
  return { name: entity.name, keys, ...labelsOf(entity) };
}
