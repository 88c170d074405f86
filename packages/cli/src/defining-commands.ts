import type { CommandGroup, CommandSpec, OptionRow } from "./command.ts";

const allowDestroy: OptionRow = [
  "--allow-destroy",
  "views, features and feature services may go, though somebody may read them",
];
const noWait: OptionRow = ["--no-wait", "do not wait until every process goes by it (at most five seconds)"];

/** What somebody calls who writes definitions. */
export const definingCommands: readonly (CommandSpec | CommandGroup)[] = [
  {
    usage: "init [folder]",
    does: "write a small feature repository that works",
    more: "With a view of each lane, data and a typed read. A package.json that is there gets what it lacks.",
    options: [
      ["--name <package>", "default: the folder's name"],
      ["--force", "replace files that are there already"],
    ],
    examples: [
      { line: "init", needs: "empty folder" },
      { line: "init my-features --name @acme/features", needs: "empty folder" },
    ],
    load: () => import("./commands/init.ts"),
  },
  {
    usage: "dev [file]",
    does: "run everything on this machine, and apply definitions whenever they are saved",
    more:
      "Servers and services in .tributary/, whose data is there again at the next start, until Ctrl-C. file is features.ts; " +
      "batch views read the folder data/. NATS_URL, REDIS_URL and DATABASE_URL name servers to use instead of private ones. " +
      "With --json one event a line.",
    options: [
      ["--fresh", "begin with nothing"],
      allowDestroy,
      ["-y, --yes", "install servers that are missing without asking"],
    ],
    examples: [
      { line: "dev", needs: "no servers" },
      { line: "dev features.ts --fresh --json", needs: "no servers" },
    ],
    load: () => import("./commands/dev.ts"),
  },
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
    options: [["-m, --message <text>", "why, for the history"], allowDestroy, noWait],
    examples: ["apply features.ts", 'apply features.ts -m "add congestion"', "apply features.ts --allow-destroy"],
    load: () => import("./commands/apply.ts"),
  },
  { name: "catalog", does: "versions of the catalog, and the way back to one", commands: catalogCommands() },
  definitionGroup("views", "view", "congestion", () => import("./commands/views.ts")),
  definitionGroup("sources", "any-source", "departures", () => import("./commands/sources.ts")),
  definitionGroup("entities", "entity", "airport", () => import("./commands/entities.ts")),
  definitionGroup("feature-services", "feature-service", "boarding", () => import("./commands/feature-services.ts")),
];

function catalogCommands(): readonly CommandSpec[] {
  return [
    {
      usage: "list",
      does: "every version: when, who, why, and which one counts",
      more: "A version that never became current lost a race, or its apply was interrupted. Without PostgreSQL nobody knows who and why.",
      options: [["-l, --limit <versions>", "the newest so many; default 20"]],
      examples: ["catalog list", "catalog list --limit 100 --json"],
      load: () => import("./commands/catalog-list.ts"),
    },
    {
      usage: "show [version]",
      does: "one version and what it changed; default: the current one",
      more: "With --json the whole catalog.",
      examples: ["catalog show", "catalog show 1 --json"],
      load: () => import("./commands/catalog-show.ts"),
    },
    {
      usage: "diff <from-version> <to-version>",
      does: "what differs between two versions",
      examples: ["catalog diff 1 1"],
      load: () => import("./commands/catalog-diff.ts"),
    },
    {
      usage: "restore <version>",
      does: "apply an earlier version again, as a new one",
      more:
        "By the rules of apply. A view whose version of then cannot be read again gets one that was never used and begins empty; " +
        "its definitions have to say that version before the next apply.",
      options: [["-m, --message <text>", "why, for the history"], allowDestroy, noWait],
      examples: ["catalog restore 1", 'catalog restore 1 -m "the new score is wrong" --allow-destroy'],
      load: () => import("./commands/catalog-restore.ts"),
    },
  ];
}

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
  const singular = argument.replace("any-", "").replace("-", " ");
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
