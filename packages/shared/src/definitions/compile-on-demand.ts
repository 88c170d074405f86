import type { OnDemandFeature } from "../contracts/catalog.ts";
import { compileValue } from "./expression-value.ts";
import type { TypeDefinition } from "./feature-type.ts";
import { checkLabels, labelsOf } from "./labels.ts";
import type { OnDemandDefinition } from "./on-demand.ts";
import type { Problems } from "./problems.ts";

/** An on-demand feature as catalog data; its expression is compiled once here, so that it is known to be sound. */
export function compileOnDemand(definition: OnDemandDefinition, problems: Problems): OnDemandFeature {
  const problem = (why: string) => problems.add(definition, why);
  const inputs = Object.entries(definition.inputs).map(([name, type]) => {
    checkInput(name, type, problem);
    return { name, ...shapeOf(type), ...(type.options.as && { as: type.options.as }) };
  });
  checkResult(definition.type, problem);
  checkLabels(definition, problem);
  if (inputs.length === 0) problem("has no inputs; name at least one column or request field that it is computed of");
  const { name, cel: expression } = definition;
  const feature = { name, ...shapeOf(definition.type), inputs, expression, ...labelsOf(definition) };
  compileValue(feature, problem);
  return feature;
}

function shapeOf({ type, options: { of } }: TypeDefinition<unknown, null>) {
  return { type, ...(of !== undefined && { of }) };
}

function checkInput(
  name: string,
  { type, options }: TypeDefinition<unknown, null>,
  problem: (why: string) => void,
): void {
  if (type === "vector") problem(`input "${name}" is a vector, which CEL does not have; use list(float64())`);
  refuseOptions(options, ["nullable", "of", "element", "as", "pii"], (option) =>
    problem(`input "${name}" has ${option}, which is not looked at; check the value in the expression`),
  );
}

function checkResult({ options }: TypeDefinition<unknown, null>, problem: (why: string) => void): void {
  refuseOptions(options, ["nullable", "of", "element", "pii"], (option) =>
    problem(`its type has ${option}, which is not looked at; write it into the expression`),
  );
}

function refuseOptions(options: object, known: readonly string[], refuse: (option: string) => void): void {
  const labels = ["description", "owner", "tags"];
  for (const [option, value] of Object.entries(options))
    if (value !== undefined && !known.includes(option) && !labels.includes(option)) refuse(option);
}
