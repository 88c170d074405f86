import type { Catalog } from "@tributary/shared/contracts/catalog";
import type { ErrorCode } from "@tributary/shared/contracts/errors";
import type { Invocation } from "../command.ts";
import { unknownName } from "../near-names.ts";
import type { CommandResult } from "../output.ts";
import { alignColumns } from "../table.ts";
import { withConnection } from "../with-connection.ts";
import { requireCurrentCatalog } from "./current.ts";

/** How one kind of definition is listed and shown. */
export interface DefinitionKind<T> {
  readonly singular: string;
  readonly plural: string;
  readonly unknown: ErrorCode;
  readonly of: (catalog: Catalog) => Readonly<Record<string, T>>;
  readonly columns: readonly string[];
  /** The cells of one line, in the order of `columns`. */
  readonly row: (definition: T, catalog: Catalog) => readonly string[];
  readonly describe: (definition: T, catalog: Catalog) => string;
}

export function listCommand<T>(kind: DefinitionKind<T>) {
  return ({ settings, output }: Invocation): Promise<CommandResult> =>
    withConnection(settings.natsUrl(), async (connection) => {
      const catalog = await requireCurrentCatalog(connection);
      const definitions = Object.values(kind.of(catalog));
      const data = { catalogVersion: catalog.version, [kind.plural]: definitions };
      if (definitions.length === 0) return { data, text: `no ${kind.singular} in catalog version ${catalog.version}` };
      const title = kind.columns.map((column) => output.colors.dim(column));
      return { data, text: alignColumns([title, ...definitions.map((one) => kind.row(one, catalog))]) };
    });
}

export function showCommand<T>(kind: DefinitionKind<T>) {
  return ({ args, settings }: Invocation): Promise<CommandResult> =>
    withConnection(settings.natsUrl(), async (connection) => {
      const [wanted = ""] = args;
      const catalog = await requireCurrentCatalog(connection);
      const definitions = kind.of(catalog);
      const found = Object.hasOwn(definitions, wanted) ? definitions[wanted] : undefined;
      if (found === undefined) throw unknownName(kind.unknown, kind.singular, wanted, Object.keys(definitions));
      const data = { catalogVersion: catalog.version, definition: found };
      return { data, text: kind.describe(found, catalog) };
    });
}
