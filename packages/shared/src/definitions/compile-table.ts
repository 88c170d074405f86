import { connectionPattern, type TableSource } from "../contracts/source.ts";
import { compileFields } from "./compile-fields.ts";
import { checkLabels, labelsOf } from "./labels.ts";
import { checkTwins } from "./names.ts";
import type { Problems } from "./problems.ts";
import type { TableSourceDefinition } from "./source.ts";
import { notInSql } from "./sql-types.ts";

/** A table source as catalog data; problems are collected. */
export function compileTable(source: TableSourceDefinition, problems: Problems): TableSource {
  const problem = (what: string) => void problems.add(source, what);
  checkLabels(source, problem);
  checkColumns(source, problem);
  checkUnique(source, problem);
  const table = {
    kind: "table" as const,
    name: source.name,
    fields: compileFields(source.fields, problem),
    ...(source.unique !== undefined && { unique: [...source.unique] }),
    ...labelsOf(source),
  };
  if (source.format === "postgres") {
    checkQuery(source, problem);
    return { ...table, format: source.format, connection: source.connection, query: source.query };
  }
  if (source.files.length === 0) problem('has no files; name at least one glob, such as "raw/sales/*.parquet"');
  return { ...table, format: source.format, files: [...source.files] };
}

/** SQL does not look at case; and not every type can be a column there. */
function checkColumns({ fields }: TableSourceDefinition, problem: (what: string) => void): void {
  checkTwins("fields", Object.keys(fields), problem);
  for (const [name, { type, options }] of Object.entries(fields)) {
    const why = notInSql(type, options.of);
    if (why !== undefined) problem(`field "${name}" ${why}`);
  }
}

function checkUnique({ unique = [], fields }: TableSourceDefinition, problem: (what: string) => void): void {
  for (const name of unique) {
    if (!Object.hasOwn(fields, name)) problem(`is unique by "${name}", which is not one of its fields; declare it`);
  }
}

function checkQuery(
  { connection, query }: TableSourceDefinition & { readonly format: "postgres" },
  problem: (what: string) => void,
): void {
  if (!connectionPattern.test(connection))
    problem(`has connection "${connection}"; use lower-case letters, digits and _, such as "crm"`);
  if (query.trim() === "") problem("has an empty query; write one SELECT");
}
