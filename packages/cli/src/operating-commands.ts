import type { CommandSpec } from "./program.ts";

/** What an operator calls: looking into a running system, and mending it. Loaded when called, as the others. */
export const operatingTable: readonly CommandSpec[] = [
  {
    usage: "doctor",
    does: "check servers, streams, tables, services, clocks; exit code 1 when anything fails",
    examples: ["doctor", "doctor --json"],
    load: () => import("./commands/doctor.ts"),
  },
  {
    usage: "tail <subject-or-name>",
    does: "print messages as they are published, until interrupted (exit code 0)",
    options: [
      ["--values", "with keys, values and events; without, only what surrounds them"],
      ["-n, --count <messages>", "end after this many"],
    ],
    examples: ["tail congestion", "tail departures --values --count 10", "tail 'trib.v1.rows.>' --json"],
    load: () => import("./commands/tail.ts"),
  },
];

export interface CommandGroup {
  readonly name: string;
  readonly does: string;
  readonly commands: readonly CommandSpec[];
}

export const operatingGroups: readonly CommandGroup[] = [
  definitionGroup("views", "view", "congestion", () => import("./commands/views.ts")),
  definitionGroup("sources", "source", "departures", () => import("./commands/sources.ts")),
  definitionGroup("entities", "entity", "airport", () => import("./commands/entities.ts")),
  definitionGroup("feature-services", "feature service", "boarding", () => import("./commands/feature-services.ts")),
  {
    name: "dlq",
    does: "messages that were set aside with their cause",
    commands: [
      {
        usage: "list",
        does: "the newest dead letters, without their payloads",
        options: [
          ["-l, --limit <letters>", "at most this many; default 20"],
          ["--lane <lane>", "only batch, stream or direct"],
        ],
        examples: ["dlq list", "dlq list --lane direct --limit 100 --json"],
        load: () => import("./commands/dlq-list.ts"),
      },
      {
        usage: "show <sequence>",
        does: "one dead letter",
        options: [["--payload", "with what was set aside, decoded: it holds keys and values"]],
        examples: ["dlq show 12", "dlq show 12 --payload"],
        load: () => import("./commands/dlq-show.ts"),
      },
      {
        usage: "replay [sequence...]",
        does:
          "publish what was set aside again, with its original versions; then the store lifts the hold it kept for it. " +
          "A letter replayed before is refused: an event replayed twice counts twice",
        options: [
          ["--all", "every letter that was not replayed yet"],
          ["--lane <lane>", "with --all: only batch, stream or direct"],
          ["--again", "also letters that were replayed before"],
        ],
        examples: ["dlq replay 12 13", "dlq replay --all --lane direct"],
        load: () => import("./commands/dlq-replay.ts"),
      },
    ],
  },
  {
    name: "config",
    does: "the settings of this command",
    commands: [
      {
        usage: "print",
        does: "each setting as resolved, with its origin; secrets are masked",
        examples: ["config print", "config print --json"],
        load: () => import("./commands/config-print.ts"),
      },
    ],
  },
];

interface DefinitionCommands {
  readonly list: Awaited<ReturnType<CommandSpec["load"]>>["run"];
  readonly show: Awaited<ReturnType<CommandSpec["load"]>>["run"];
}

function definitionGroup(
  name: string,
  singular: string,
  example: string,
  load: () => Promise<DefinitionCommands>,
): CommandGroup {
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
        usage: "show <name>",
        does: `one ${singular} in full`,
        examples: [`${name} show ${example}`, `${name} show ${example} --json`],
        load: async () => ({ run: (await load()).show }),
      },
    ],
  };
}
