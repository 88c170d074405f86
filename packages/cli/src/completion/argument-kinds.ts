import { lanes } from "@tributary/shared/contracts/catalog";
import type { NameKind } from "./catalog-names.ts";

/** What may stand in an argument's or an option's place. */
export type ArgumentKind =
  | { readonly kind: "files" }
  | { readonly kind: "choices"; readonly words: readonly string[] }
  /** Asked of the current catalog when somebody completes. */
  | { readonly kind: "names"; readonly of: NameKind }
  | { readonly kind: "free" };

export const shells = ["bash", "zsh", "fish"] as const;

const names = (of: NameKind): ArgumentKind => ({ kind: "names", of });
const files: ArgumentKind = { kind: "files" };

/** By the name that a command table gives the argument: `<file>`, `[instant]`, `--lane <lane>`. */
const kinds: Readonly<Record<string, ArgumentKind>> = {
  file: files,
  folder: files,
  path: files,
  view: names("view"),
  "batch-view": names("batch-view"),
  "direct-view": names("direct-view"),
  source: names("event-source"),
  "any-source": names("source"),
  entity: names("entity"),
  "feature-service": names("feature-service"),
  "subject-or-name": names("subject"),
  lane: { kind: "choices", words: lanes },
  action: { kind: "choices", words: ["show", "set", "pause", "resume"] },
  shell: { kind: "choices", words: shells },
};

export function kindOf(argument: string): ArgumentKind {
  return kinds[argument] ?? { kind: "free" };
}
