import type { CatalogBody } from "@tributary/shared/contracts/catalog";

/** Calls of the command that fit these definitions: one read, one write, one event. */
export function callExamples(body: CatalogBody | undefined): readonly string[] {
  if (body === undefined) return [];
  const service = Object.values(body.featureServices)[0];
  const direct = Object.values(body.views).find(({ lane }) => lane === "direct");
  const feature = direct?.lane === "direct" ? direct.features[0] : undefined;
  const keys = (names: readonly { readonly name: string }[]) => names.map(({ name }) => `${name}=…`).join(" ");
  return [
    ...(service ? [`get ${service.name} ${keys(service.requestKeys)} --detail`] : []),
    ...(direct && feature
      ? [`put ${direct.name} ${keys(body.entities[direct.entity]?.keys ?? [])} --set ${feature.name}=…`]
      : []),
    "status",
  ];
}
