import type { z } from "zod";
import type { Definition } from "./definition.ts";
import type { Problems } from "./problems.ts";

const sections: Readonly<Record<string, readonly string[]>> = {
  entities: ["entity"],
  sources: ["eventSource", "tableSource"],
  views: ["view"],
  onDemandFeatures: ["onDemandFeature"],
  featureServices: ["featureService"],
};

/** What the catalog's schema does not take, told of the definition that it comes from and in its words. */
export function addIssue(
  issue: z.core.$ZodIssue,
  { body, definitions }: { body: object; definitions: readonly Definition[] },
  problems: Problems,
): void {
  const [section, name, ...path] = issue.path;
  const kinds = sections[String(section)] ?? [];
  const definition = definitions.find((one) => kinds.includes(one.kind) && one.name === name);
  const inside = memberOf(memberOf(body, section), name);
  problems.add(
    definition ?? `${String(section)} ${String(name)}`,
    `${wordsOf(path, inside)}${issue.message}; change it`,
  );
}

/** `features.0.min` of a body → `feature "score" min `. */
function wordsOf(path: readonly PropertyKey[], inside: unknown): string {
  const words: string[] = [];
  let at = inside;
  for (const step of path) {
    at = memberOf(at, step);
    const name = memberOf(at, "name");
    if (typeof step === "number" && typeof name === "string")
      words.push(`${words.pop()?.replace(/s$/, "") ?? ""} "${name}"`);
    else if (step !== "name") words.push(String(step));
  }
  return words.map((word) => `${word} `).join("");
}

function memberOf(value: unknown, step: PropertyKey | undefined): unknown {
  if (typeof value !== "object" || value === null || step === undefined) return undefined;
  return (value as Readonly<Record<PropertyKey, unknown>>)[step];
}
