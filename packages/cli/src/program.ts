import { Command } from "commander";
import type { CommandModule, Invocation } from "./command.ts";
import { operatingGroups, operatingTable } from "./operating-commands.ts";

/** Runs a loaded command; given by main.ts, which knows how to print and to exit. */
export type Execute = (command: Command, module: CommandModule, args: readonly string[]) => Promise<void>;

/** The command line: names, arguments, help. What the commands do is loaded when they are called. */
export function createProgram(execute: Execute): Command {
  const program = new Command("tributary")
    .description("Fresh features from three lanes in one online store.")
    .option("--json", "print one JSON object: {ok, data} or {ok, error}")
    .option("--nats-url <url>", "default: NATS_URL, else the running `npm start`")
    .option("--database-url <url>", "default: DATABASE_URL, else the running `npm start`")
    .configureHelp({ showGlobalOptions: true })
    .showHelpAfterError("(--help says more)")
    .addHelpText("after", exitCodeHelp);
  const add = (parent: Command, spec: CommandSpec) => addCommand(parent, spec, execute);
  for (const spec of commandTable) add(program, spec);
  const admin = program.command("admin").description("prepare and inspect an environment");
  for (const spec of adminTable) add(admin, spec);
  for (const spec of operatingTable) add(program, spec);
  for (const { name, does, commands } of operatingGroups) {
    const group = program.command(name).description(does);
    for (const spec of commands) add(group, spec);
  }
  return program;
}

export interface CommandSpec {
  readonly usage: string;
  readonly does: string;
  readonly options?: readonly (readonly [flags: string, help: string])[];
  readonly examples: readonly string[];
  readonly load: () => Promise<{ run: (invocation: Invocation<never>) => ReturnType<CommandModule["run"]> }>;
}

const exitCodeHelp = `
Exit codes: 0 done, 1 failure, 2 usage, 3 not found, 4 refused input, 5 unavailable, 6 partly done, 130 interrupted`;

const commandTable: readonly CommandSpec[] = [
  {
    usage: "plan <file>",
    does: "show what applying a definitions module would change; exit code 4 when it could not be applied",
    examples: ["plan features.ts", "plan features.ts --json"],
    load: () => import("./commands/plan.ts"),
  },
  {
    usage: "apply <file>",
    does: "compile a definitions module, show the plan, and make it the current catalog",
    options: [
      ["-m, --message <text>", "why, for the history"],
      ["--allow-destroy", "views, features and feature services may go, though somebody may read them"],
    ],
    examples: ["apply features.ts", 'apply features.ts -m "add congestion"', "apply features.ts --allow-destroy"],
    load: () => import("./commands/apply.ts"),
  },
  {
    usage: "run <view>",
    does: "run a batch view and follow it to its end",
    options: [["--interval-end <instant>", "default: the last interval that has ended"]],
    examples: ["run route_profile", "run route_profile --interval-end 2001-03-01T00:00:00Z"],
    load: () => import("./commands/run.ts"),
  },
  {
    usage: "get <feature-service> [key=value...]",
    does: "read features; a key that comes again begins the next entity",
    options: [
      ["-d, --detail", "with lane, status, age and freshness"],
      ["--keys <json>", "the keys as a JSON array of objects"],
      ["--features <name...>", "only these"],
    ],
    examples: [
      "get boarding origin=ORD destination=LAX --detail",
      "get boarding origin=ORD destination=LAX origin=JFK destination=SFO",
      `get boarding --keys '[{"origin":"ORD","destination":"LAX"}]' --json`,
    ],
    load: () => import("./commands/get.ts"),
  },
  {
    usage: "put <view> <key=value...>",
    does: "write features of a direct view",
    options: [
      ["-s, --set <feature=value...>", "a value is JSON, else text"],
      ["-w, --withdraw <feature...>", "take values back"],
      ["--event-time <instant>", "default: when the broker accepts it"],
      ["--idempotency-key <key>", "a retry gets the first outcome"],
    ],
    examples: ["put congestion code=ORD --set score=0.8 reason=snow", "put congestion code=ORD --withdraw reason"],
    load: () => import("./commands/put.ts"),
  },
  {
    usage: "publish <source> <json>",
    does: "publish an event, or an array of them; - reads standard input",
    options: [["--id <id>", "published again within two minutes, it is stored once"]],
    examples: [
      `publish departures '{"origin":"ORD","delay":5,"at":"2001-03-01T12:00:00Z"}'`,
      "publish departures - < events.json",
    ],
    load: () => import("./commands/publish.ts"),
  },
  {
    usage: "status",
    does: "which services answer, and how far each lane is behind",
    examples: ["status", "status --json"],
    load: () => import("./commands/status.ts"),
  },
  {
    usage: "clock <action> [instant]",
    does: "show, set, pause or resume the time of features",
    options: [["--rate <factor>", "how fast it goes; 1 = real time"]],
    examples: ["clock show", "clock pause", "clock resume --rate 60", "clock set 2001-03-01T00:00:00Z --rate 60"],
    load: () => import("./commands/clock.ts"),
  },
];

const adminTable: readonly CommandSpec[] = [
  {
    usage: "ensure",
    does: "create or verify streams, consumers, buckets and tables",
    examples: ["admin ensure", "admin ensure --nats-url nats://admin:…@127.0.0.1:4222 --database-url postgres://…"],
    load: () => import("./commands/admin-ensure.ts"),
  },
  {
    usage: "processes",
    does: "processes that a start in this directory left running",
    options: [["--directory <path>", "default: .tributary"]],
    examples: ["admin processes --json"],
    load: () => import("./commands/admin-processes.ts"),
  },
];

function addCommand(parent: Command, spec: CommandSpec, execute: Execute): void {
  const examples = spec.examples.map((example) => `  tributary ${example}`).join("\n");
  const command = parent.command(spec.usage).description(spec.does).addHelpText("after", `\nExamples:\n${examples}`);
  for (const [flags, help] of spec.options ?? []) command.option(flags, help);
  command.action(async () => {
    // Options are declared beside the module that reads them; commander does not carry their types over.
    const module = (await spec.load()) as unknown as CommandModule;
    await execute(command, module, command.args);
  });
}
