/** What people and tools know a definition by; nothing is computed from it. */
export interface Labels {
  readonly description?: string;
  /** Who answers for it: a team, an address. */
  readonly owner?: string;
  readonly tags?: readonly string[];
}

/** The labels that were given, as the catalog holds them. */
export function labelsOf({ description, owner, tags }: Labels) {
  return {
    ...(description !== undefined && { description }),
    ...(owner !== undefined && { owner }),
    ...(tags !== undefined && tags.length > 0 && { tags: [...tags] }),
  };
}

/** What the catalog would not take. */
export function checkLabels({ description, owner, tags = [] }: Labels, problem: (why: string) => void): void {
  for (const [name, label] of Object.entries({ description, owner }))
    if (label !== undefined && typeof label !== "string") problem(`${name} must be a text`);
  const isTag = (tag: unknown) => typeof tag === "string" && tag.length > 0 && tag.length < 64;
  if (!Array.isArray(tags) || tags.length > 32 || !tags.every(isTag))
    problem("tags must be a list of at most 32 texts of 1 to 63 characters");
}
