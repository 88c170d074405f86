import type { Feature } from "../contracts/feature.ts";
import { checkTwins } from "./names.ts";
import { isMissingSql } from "./sql-file.ts";
import { notInSql } from "./sql-types.ts";
import type { BatchOptions, DirectOptions, ViewDefinition } from "./view-definition.ts";

type Problem = (why: string) => void;

export function checkBatch({ sql, deleteShareMax = 0.5 }: BatchOptions, problem: Problem): void {
  if (!isMissingSql(sql) && (typeof sql !== "string" || sql.trim() === ""))
    problem("has no SQL; write a SELECT that gives its keys and features, or name a file: sqlFile(new URL(…))");
  if (!(deleteShareMax >= 0 && deleteShareMax <= 1))
    problem(`deleteShareMax ${deleteShareMax} must be a share from 0 to 1, such as 0.5`);
}

/** What only SQL asks of features: columns beside the keys, of types that it has. */
export function checkColumns(view: ViewDefinition, features: readonly Feature[], problem: Problem): void {
  checkTwins("columns", [...Object.keys(view.entity.key), ...features.map(({ name }) => name)], problem);
  for (const { name, type, of } of features) {
    const why = notInSql(type, of);
    if (why !== undefined) problem(`feature "${name}" ${why}`);
  }
}

/** A change is measured against the published value by the batch lane alone. */
export function checkDirect({ producers }: DirectOptions, features: readonly Feature[], problem: Problem): void {
  if (!Array.isArray(producers)) problem('says no producers; name who may write it: producers: ["tower-model"]');
  for (const { name, tolerance } of features)
    if (tolerance !== undefined)
      problem(`feature "${name}" has a tolerance, which only a batch view looks at; remove it`);
}
