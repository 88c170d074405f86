import type { FeatureService } from "@tributary/shared/contracts/catalog";
import { type DefinitionKind, listCommand, showCommand } from "../catalog/definition-commands.ts";
import { describeFeatureService } from "../catalog/describe.ts";

const kind: DefinitionKind<FeatureService> = {
  singular: "feature service",
  plural: "featureServices",
  unknown: "UNKNOWN_SERVICE",
  of: (catalog) => catalog.featureServices,
  columns: ["feature service", "request keys", "columns", "views"],
  row: (service) => [
    service.name,
    service.requestKeys.map(({ name, type }) => `${name} ${type}`).join(", "),
    String(service.columns.length + (service.onDemand?.length ?? 0)),
    [...new Set(service.columns.map(({ view }) => view))].join(", "),
  ],
  describe: describeFeatureService,
};

export const list = listCommand(kind);
export const show = showCommand(kind);
