import type { Catalog, FeatureService } from "@tributary/shared/contracts/catalog";

/** `partySize int64, since timestamp?`: what may be left out has a question mark. */
export function requestFieldsText({ requestFields = [] }: FeatureService): string {
  return requestFields.map(({ name, type, nullable }) => `${name} ${type}${nullable ? "?" : ""}`).join(", ");
}

/** Rows of the table of columns: name, type, what it is computed of, and how. */
export function onDemandRows({ onDemand = [] }: FeatureService, { onDemandFeatures = {} }: Catalog): string[][] {
  return onDemand.map(({ name, feature, inputs }) => {
    const given = Object.entries(inputs).map(([input, source]) =>
      input === source.name ? input : `${input}=${source.name}`,
    );
    const { type = "", expression = "" } = onDemandFeatures[feature] ?? {};
    return [`  ${name}`, type, feature, "on demand", `of ${given.join(", ")}`, expression];
  });
}
