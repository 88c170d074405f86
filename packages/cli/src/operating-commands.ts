import type { CommandGroup, CommandSpec } from "./command.ts";

/** What an operator calls: looking into a running system, and mending it. */
export const operatingCommands: readonly (CommandSpec | CommandGroup)[] = [
  {
    usage: "status",
    does: "which services answer, how far each lane is behind, and how fresh views are when they are read",
    more: "Exit code 6 when a service does not answer.",
    examples: ["status", "status --json"],
    load: () => import("./commands/status.ts"),
  },
  {
    usage: "doctor",
    does: "check servers, streams, tables, services and clocks",
    more: "Exit code 1 when anything fails.",
    examples: ["doctor", "doctor --json"],
    load: () => import("./commands/doctor.ts"),
  },
  {
    usage: "tail <subject-or-name>",
    does: "print messages as they are published",
    more: "Until it is interrupted, which is no failure: exit code 0.",
    options: [
      ["--values", "with keys, values and events; without, only what surrounds them"],
      ["-n, --count <messages>", "end after this many"],
    ],
    examples: [
      { line: "tail congestion", needs: "interrupt" },
      { line: "tail departures --values --count 10", needs: "traffic" },
      { line: "tail 'trib.v1.rows.>' --json", needs: "interrupt" },
    ],
    load: () => import("./commands/tail.ts"),
  },
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
        examples: [
          { line: "dlq show 12", needs: "dead letters" },
          { line: "dlq show 12 --payload", needs: "dead letters" },
        ],
        load: () => import("./commands/dlq-show.ts"),
      },
      {
        usage: "replay [sequence...]",
        does: "publish what was set aside again, with its original versions",
        more:
          "The store then lifts the hold it kept for it. " +
          "A letter replayed before is refused: an event replayed twice counts twice.",
        options: [
          ["--all", "every letter that was not replayed yet"],
          ["--lane <lane>", "with --all: only batch, stream or direct"],
          ["--again", "also letters that were replayed before"],
        ],
        examples: [
          { line: "dlq replay 12 13", needs: "dead letters" },
          { line: "dlq replay --all --lane direct", needs: "dead letters" },
        ],
        load: () => import("./commands/dlq-replay.ts"),
      },
    ],
  },
  {
    usage: "rebuild",
    does: "send again what batch and stream views have published, and wait until the stores have it",
    more:
      "After Redis lost data that the row streams hold no longer: every value comes back with its original version, " +
      "and confirmations count again. At any other time it changes nothing. What no lane keeps is told by view, " +
      "and the exit code is then 6: direct views come back from their stream alone.",
    options: [
      ["--view <view>", "only this one"],
      ["--lane <lane>", "only batch, stream or direct"],
      ["--timeout <seconds>", "for all of it; default 600"],
    ],
    examples: ["rebuild", "rebuild --lane batch --json", "rebuild --view route_profile --timeout 60"],
    load: () => import("./commands/rebuild.ts"),
  },
  {
    usage: "erase <entity> <key=value...>",
    does: "erase all values of one entity key",
    more:
      "Asked for once, kept for good: neither a replay nor a new Redis brings the values back. " +
      "What is written with an event time up to a minute later is gone too. " +
      "Exit code 6 when a participant has not carried it out.",
    options: [
      ["-y, --yes", "it cannot be undone; without this nothing is erased"],
      ["--id <id>", "a name for it, such as a ticket's; asked for again, it is not erased again"],
      ["--timeout <seconds>", "for the participants; default 10"],
    ],
    examples: ["erase passenger id=4711 --yes", "erase passenger id=4711 --yes --id ticket-4711 --json"],
    load: () => import("./commands/erase.ts"),
  },
  {
    name: "erasures",
    does: "what was erased, and by whom it is carried out",
    commands: [
      {
        usage: "list",
        does: "the newest erasures, without the keys, and which services have carried them out",
        options: [["-l, --limit <erasures>", "at most this many; default 20"]],
        examples: ["erasures list", "erasures list --limit 100 --json"],
        load: () => import("./commands/erasures-list.ts"),
      },
      {
        usage: "show <id>",
        does: "one erasure: each participant, what Redis and the lake hold now, where the key may still be",
        more: "Exit code 6 when a participant has not carried it out.",
        examples: ["erasures show ticket-4711"],
        load: () => import("./commands/erasures-show.ts"),
      },
      {
        usage: "lift <id>",
        does: "let batch runs take the key again",
        more:
          "Tables that feed the entity's batch views may still hold rows of the key, so runs keep it out until this. " +
          "What was erased stays erased: only intervals that end after the erasure bring the key back.",
        examples: ["erasures lift ticket-4711"],
        load: () => import("./commands/erasures-lift.ts"),
      },
      {
        usage: "forget <id>",
        does: "remove an erasure, and with it the key",
        more:
          "An erasure keeps the erased key, because a new Redis is filled from the streams without it. " +
          "Refused with exit code 6 while anything that is known of could bring the key back.",
        options: [["--force", "also while it is needed: what was erased may come back"]],
        examples: ["erasures forget ticket-4711 --force"],
        load: () => import("./commands/erasures-forget.ts"),
      },
    ],
  },
  {
    usage: "clock <action> [instant]",
    does: "show, set, pause or resume the time of features",
    options: [["--rate <factor>", "how fast it goes; 1 = real time"]],
    examples: ["clock show", "clock pause", "clock resume --rate 60", "clock set 2001-03-01T00:00:00Z --rate 60"],
    load: () => import("./commands/clock.ts"),
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
  {
    name: "admin",
    does: "prepare and inspect an environment",
    commands: [
      {
        usage: "ensure",
        does: "create or verify streams, consumers, buckets and tables",
        examples: ["admin ensure", "admin ensure --json"],
        load: () => import("./commands/admin-ensure.ts"),
      },
      {
        usage: "processes",
        does: "processes that a start in this directory left running",
        options: [["--directory <path>", "default: .tributary"]],
        examples: ["admin processes --json"],
        load: () => import("./commands/admin-processes.ts"),
      },
    ],
  },
  {
    usage: "completion <shell>",
    does: "print a completion script for bash, zsh or fish",
    more:
      "bash: source <(tributary completion bash), in ~/.bashrc. zsh: the same behind compinit, in ~/.zshrc. " +
      "fish: tributary completion fish > ~/.config/fish/completions/tributary.fish. " +
      "Names of views, sources, entities and feature services come from the current catalog when it answers at once.",
    examples: ["completion bash", "completion zsh", "completion fish"],
    load: () => import("./commands/completion.ts"),
  },
  {
    usage: "complete-names <kind>",
    does: "names of the current catalog, for the completion scripts",
    examples: [],
    hidden: true,
    load: () => import("./commands/complete-names.ts"),
  },
];
