import type { ArgumentKind } from "./argument-kinds.ts";
import { type CompletedCommand, type CompletedOption, commonOptions } from "./completion-model.ts";

/** The command that prints names of the current catalog. */
export const nameCommand = "complete-names";

/** Paths as patterns of a shell's `case`. */
export function knownPaths(model: readonly CompletedCommand[]): string[] {
  return model.filter(({ path }) => path !== "").map(({ path }) => `'${path}'`);
}

/** `'dlq list --limit'`, and for every command `*' --nats-url'`: the options behind which a value stands. */
export function valuePatterns(model: readonly CompletedCommand[]): string[] {
  const own = model.flatMap(({ path, options }) => valueNames(options).map((name) => `'${path} ${name}'`));
  return [...own, ...valueNames(commonOptions()).map((name) => `*' ${name}'`)];
}

function valueNames(options: readonly CompletedOption[]): string[] {
  return options.filter(({ takes }) => takes !== undefined).flatMap(({ names }) => names);
}

/** `'run 0'`: the first argument of `run`; one that repeats takes all that follow. */
export function argumentPatterns(
  model: readonly CompletedCommand[],
): readonly { readonly pattern: string; readonly kind: ArgumentKind }[] {
  return model.flatMap(({ path, args }) =>
    args.map(({ kind, repeats }, i) => ({ pattern: repeats ? `'${path} '*` : `'${path} ${i}'`, kind })),
  );
}
