import type { BatchView } from "@tributary/shared/contracts/catalog";
import { TributaryError } from "@tributary/shared/contracts/errors";
import { whereFunctionName } from "@tributary/shared/definitions/aggregate-view-sql";
import { compileExpression } from "@tributary/shared/definitions/expression";
import type { CelFunction } from "./cel-function.ts";

/**
 * An aggregateView's filter, as the stream lane applies it: an event that it cannot judge does not pass.
 * Undefined for a view without one. @throws TributaryError INVALID_DEFINITION
 */
export function whereFunction(view: BatchView): CelFunction | undefined {
  const where = view.aggregate?.where;
  if (where === undefined) return undefined;
  const types = Object.fromEntries(where.inputs.map(({ name, type }) => [name, type]));
  const predicate = compileExpression(where.expression, types, (why) => {
    throw new TributaryError("INVALID_DEFINITION", `view "${view.name}": where: ${why}`);
  });
  return {
    name: whereFunctionName,
    inputs: where.inputs,
    result: "BOOLEAN",
    evaluate: (values) => {
      try {
        return predicate?.(values) === true;
      } catch {
        return false;
      }
    },
  };
}
