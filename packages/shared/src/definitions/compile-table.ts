import { connectionPattern, type TableField, type TableSource } from "../contracts/source.ts";
import type { Problems } from "./problems.ts";
import type { TableSourceDefinition } from "./source.ts";

/** A table source as catalog data; problems are collected. */
export function compileTable(source: TableSourceDefinition, problems: Problems): TableSource {
  const problem = (what: string) => void problems.add(source, what);
  checkUnique(source, problem);
  const table = {
    kind: "table" as const,
    name: source.name,
    fields: compileTableFields(source),
    ...(source.unique !== undefined && { unique: [...source.unique] }),
  };
  if (source.format === "postgres") {
    checkQuery(source, problem);
    return { ...table, format: source.format, connection: source.connection, query: source.query };
  }
  if (source.files.length === 0) problem('has no files; name at least one glob, such as "raw/sales/*.parquet"');
  return { ...table, format: source.format, files: [...source.files] };
}

function compileTableFields({ fields }: TableSourceDefinition): TableField[] {
  return Object.entries(fields).map(([name, { type, options }]) => ({
    name,
    type,
    nullable: options.nullable ?? false,
    ...(options.of !== undefined && { of: options.of }),
    ...(options.dimension !== undefined && { dimension: options.dimension }),
  }));
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
