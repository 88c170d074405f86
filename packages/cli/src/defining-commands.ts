import type { CommandGroup, CommandSpec } from "./command.ts";

/** What somebody calls who writes definitions. */
export const definingCommands: readonly (CommandSpec | CommandGroup)[] = [
  {
    usage: "plan <file>",
    does: "show what applying a definitions module would change",
    more: "Exit code 4 when it could not be applied.",
    examples: ["plan features.ts", "plan features.ts --json"],
    load: () => import("./commands/plan.ts"),
  },
  {
    usage: "apply <file>",
    does: "make a definitions module the current catalog",
    more: "Compiles it and shows the plan before it is carried out or refused.",
    options: [
      ["-m, --message <text>", "why, for the history"],
      ["--allow-destroy", "views, features and feature services may go, though somebody may read them"],
    ],
    examples: ["apply features.ts", 'apply features.ts -m "add congestion"', "apply features.ts --allow-destroy"],
    load: () => import("./commands/apply.ts"),
  },
  definitionGroup("views", "view", "congestion", () => import("./commands/views.ts")),
  definitionGroup("sources", "source", "departures", () => import("./commands/sources.ts")),
  definitionGroup("entities", "entity", "airport", () => import("./commands/entities.ts")),
  definitionGroup("feature-services", "feature-service", "boarding", () => import("./commands/feature-services.ts")),
];

interface DefinitionCommands {
  readonly list: Awaited<ReturnType<CommandSpec["load"]>>["run"];
  readonly show: Awaited<ReturnType<CommandSpec["load"]>>["run"];
}

function definitionGroup(
  name: string,
  argument: string,
  example: string,
  load: () => Promise<DefinitionCommands>,
): CommandGroup {
  const singular = argument.replace("-", " ");
  return {
    name,
    does: `${name.replace("-", " ")} of the current catalog`,
    commands: [
      {
        usage: "list",
        does: `every ${singular} of the current catalog`,
        examples: [`${name} list`],
        load: async () => ({ run: (await load()).list }),
      },
      {
        usage: `show <${argument}>`,
        does: `one ${singular} in full`,
        examples: [`${name} show ${example}`, `${name} show ${example} --json`],
        load: async () => ({ run: (await load()).show }),
      },
    ],
  };
}
