import type { EventSource, TableSource } from "@tributary/shared/contracts/source";
import { type DefinitionKind, listCommand, showCommand } from "../catalog/definition-commands.ts";
import { describeSource } from "../catalog/describe.ts";

const kind: DefinitionKind<EventSource | TableSource> = {
  singular: "source",
  plural: "sources",
  unknown: "UNKNOWN_SOURCE",
  of: (catalog) => catalog.sources,
  columns: ["source", "kind", "fields", "used by"],
  row: (source, catalog) => {
    const users = Object.values(catalog.views).filter((view) => {
      if (view.lane === "batch") return view.sources.includes(source.name);
      return view.lane === "stream" && view.source === source.name;
    });
    return [source.name, source.kind, String(source.fields.length), users.map(({ name }) => name).join(", ")];
  },
  describe: describeSource,
};

export const list = listCommand(kind);
export const show = showCommand(kind);
