import type { View } from "@tributary/shared/contracts/catalog";
import { type DefinitionKind, listCommand, showCommand } from "../catalog/definition-commands.ts";
import { describeView } from "../catalog/describe.ts";
import { formatMs } from "../table.ts";

const kind: DefinitionKind<View> = {
  singular: "view",
  plural: "views",
  unknown: "UNKNOWN_VIEW",
  of: (catalog) => catalog.views,
  columns: ["view", "lane", "version", "entity", "features", "freshness", "ttl"],
  row: (view) => [
    view.name,
    view.lane,
    `v${view.version}`,
    view.entity,
    String(view.features.length),
    formatMs(view.freshnessMs),
    view.ttlMs === null ? "never" : formatMs(view.ttlMs),
  ],
  describe: describeView,
};

export const list = listCommand(kind);
export const show = showCommand(kind);
