import type { Field } from "../contracts/source.ts";
import type { TypeDefinition } from "./feature-type.ts";
import { checkNames } from "./names.ts";
import type { FieldMap } from "./source.ts";

const said: readonly string[] = ["nullable", "description", "as", "of", "dimension", "element"];

/** A source's fields as catalog data. They take few options: values are checked as features, where they are used. */
export function compileFields(fields: FieldMap, problem: (why: string) => void): Field[] {
  checkNames("field", Object.keys(fields), problem);
  return Object.entries(fields).map(([name, definition]) => {
    const more = Object.keys(definition.options).filter((option) => !said.includes(option));
    if (more.length > 0)
      problem(
        `field "${name}" has ${more.join(", ")}, which a field does not take; say it of the feature, or remove it`,
      );
    return compileField(name, definition);
  });
}

function compileField(name: string, { type, options }: TypeDefinition<unknown, null>): Field {
  const { of, dimension, as = options.element?.as, description } = options;
  return {
    name,
    type,
    nullable: options.nullable ?? false,
    ...(of !== undefined && { of }),
    ...(dimension !== undefined && { dimension }),
    ...(as !== undefined && { as }),
    ...(description !== undefined && { description }),
  };
}
