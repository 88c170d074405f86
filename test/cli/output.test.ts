import { spawn } from "node:child_process";
import { once } from "node:events";
import { ensureEnvironment } from "@tributary/cli/admin/ensure";
import { applyCatalog } from "@tributary/cli/catalog/apply";
import { nodeArguments } from "@tributary/local/node-command";
import { type Servers, startServers } from "@tributary/local/servers";
import type { BatchRunStatus } from "@tributary/shared/contracts/status";
import { subjects } from "@tributary/shared/contracts/subjects";
import { compileDefinitions } from "@tributary/shared/definitions/compile";
import { openConnection } from "@tributary/shared/messaging/connection";
import { readStreamState } from "@tributary/shared/messaging/stream-state";
import { connect } from "nats";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { temporaryDirectory } from "../support/temporary-directory.ts";
import { type CliHost, type HostedCall, startCliHost } from "./cli-host.ts";
import { folderFor } from "./environment-file.ts";
import * as definitions from "./examples/features.ts";
import { type CliOptions, cliMain, runCli } from "./run-cli.ts";

const directory = temporaryDirectory("output");
let servers: Servers;
let folder: ReturnType<typeof folderFor>;
let host: CliHost;
const cli = (argv: readonly string[], call: Omit<HostedCall, "argv"> = {}) => host.run({ argv, ...call });
/** Where the process itself matters: its signals and its standard input. */
const startCli = (args: readonly string[], options: Partial<CliOptions>) =>
  runCli(args, { directory: folder.path, ...options });

beforeAll(async () => {
  servers = await startServers({ directory: directory.path, need: ["nats", "postgres"], fsync: false });
  const urls = { natsUrl: servers.nats.url("admin"), databaseUrl: servers.postgres.url };
  await ensureEnvironment(urls);
  await applyCatalog({ body: compileDefinitions(Object.values(definitions)), ...urls });
  folder = folderFor(servers, { postgres: true });
  host = startCliHost(folder.path);
});
afterAll(async () => {
  host?.stop();
  await servers?.stop();
  directory.remove();
  folder?.remove();
});

const escapeCode = "\u001b[";
const event = JSON.stringify({ origin: "ORD", destination: "LAX", delay: 5, at: "2001-03-01T12:00:00Z" });

async function eventsStored(): Promise<number> {
  const connection = await openConnection({ url: servers.nats.url("admin"), name: "test" });
  const { lastSequence } = await readStreamState(connection, "TRIB_EVENTS");
  await connection.close();
  return lastSequence;
}

describe("what every command understands", () => {
  it("is understood before and behind the command", async () => {
    const list = (json: unknown) => expect(json).toMatchObject({ ok: true, data: { catalogVersion: 1 } });
    list((await cli(["--json", "views", "list"])).json());
    list((await cli(["views", "--json", "list"])).json());
    list((await cli(["views", "list", "--json"])).json());
  });

  it("--version says it, in the envelope as well", async () => {
    expect(await cli(["--version"])).toMatchObject({ code: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
    expect((await cli(["-V", "--json"])).json()).toMatchObject({ ok: true, data: { version: expect.any(String) } });
  });

  it("--verbose tells the servers without their secrets, and the time, on standard error alone", async () => {
    const plain = await cli(["views", "list"]);
    const verbose = await cli(["views", "list", "-v"]);
    expect(verbose.stdout).toBe(plain.stdout);
    expect(plain.stderr).toBe("");
    expect(verbose.stderr).toMatch(/^natsUrl nats:\/\/client:\*\*\*@.*environment\.json\)\ntook \d+ ms\n$/);
  });

  it("--verbose names a server once, however often it is asked", async () => {
    const { stderr } = await cli(["publish", "departures", event, "--verbose"]);
    expect(stderr.match(/natsUrl/g)).toHaveLength(1);
  });

  it("the help names commands by what one is about to do, and options behind them", async () => {
    const { stdout } = await cli(["--help"]);
    const titles = [...stdout.matchAll(/^(\w[\w ]*):/gm)].map(([, title]) => title);
    expect(titles).toEqual(["Usage", "Define", "Use", "Operate", "Options", "Exit codes"]);
    const widest = Math.max(...stdout.split("\n").map((line) => line.length));
    expect(widest).toBeLessThanOrEqual(100);
  });

  it("--quiet leaves the data and the errors", async () => {
    const published = await cli(["publish", "departures", "-", "--quiet"], { input: event });
    expect(published).toMatchObject({ code: 0, stderr: "", stdout: expect.stringContaining("1 stored") });
    expect((await cli(["views", "show", "nope", "-q"])).stderr).toContain("UNKNOWN_VIEW");
  });

  it("colours come when they are asked for, and go when they are refused", async () => {
    const colored = (args: string[], environment: Record<string, string>) =>
      cli(["views", "list", ...args], { environment }).then(({ stdout }) => stdout.includes(escapeCode));
    expect(await colored([], {})).toBe(false);
    expect(await colored([], { FORCE_COLOR: "1" })).toBe(true);
    expect(await colored([], { FORCE_COLOR: "1", NO_COLOR: "1" })).toBe(false);
    expect(await colored(["--no-color"], { FORCE_COLOR: "1" })).toBe(false);
    const help = await cli(["--help"], { environment: { FORCE_COLOR: "1" } });
    expect(help.stdout).toContain(escapeCode);
  });

  it.each([
    [["veiws", "list"], "unknown command 'veiws'; did you mean \"views\"?", "see `tributary --help`"],
    [["dlq", "lst"], "unknown command 'lst'; did you mean \"list\"?", "see `tributary dlq --help`"],
    [["status", "--jsno"], "unknown option '--jsno'; did you mean \"--json\"?", "see `tributary status --help`"],
    [["dlq", "list", "--lim", "3"], 'did you mean "--limit"', "see `tributary dlq list --help`"],
    [["status", "now"], "too many arguments", "see `tributary status --help`"],
    [["run"], "missing required argument 'batch-view'", "see `tributary run --help`"],
  ])("a wrong call %j is told with the near name and the help to read", async (args, message, hint) => {
    const { code, stdout, stderr } = await cli(args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toMatch(/^error: .*\nhint: .*\n$/);
    expect(stderr).toContain(message);
    expect(stderr).toContain(hint);
  });

  it("a group without a command is a wrong call, and says which there are", async () => {
    const { code, stderr } = await cli(["dlq"]);
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining("replay") });
    expect((await cli(["dlq", "--json"])).json()).toMatchObject({
      ok: false,
      error: { code: "USAGE", message: "a command is missing: list, show, replay" },
    });
  });

  it("a server that does not answer is told in two lines, with what was tried and no stack", async () => {
    const environment = { NATS_URL: "nats://client:hush@127.0.0.1:1" };
    const { code, stdout, stderr } = await cli(["views", "list"], { environment });
    expect({ code, stdout }).toEqual({ code: 5, stdout: "" });
    expect(stderr).toMatch(/^error: .*127\.0\.0\.1:1.*\nhint: .*\n$/);
    expect(stderr).not.toMatch(/hush|at .*\.ts/);
  });
});

describe("events from standard input", () => {
  it("are stored up to a line that is none, which is told with its number", async () => {
    const before = await eventsStored();
    const input = `${event}\n${event}\n{"secret"\n${event}\n`;
    const { code, stderr, json } = await cli(["publish", "departures", "-", "--json"], { input });
    expect(code).toBe(6);
    expect(json()).toMatchObject({
      ok: false,
      error: { code: "MALFORMED", message: "line 3 is not a JSON object, nor an array of them" },
      data: { events: 2, line: 2, stream: "TRIB_EVENTS" },
    });
    expect(stderr).not.toContain("secret");
    expect(await eventsStored()).toBe(before + 1);
    const none = await cli(["publish", "departures", "-"], { input: "nonsense" });
    expect(none).toMatchObject({ code: 4, stdout: "" });
  });

  it("are stored as they come, and an interrupt says how many", async () => {
    const { code, stdout, stderr } = await startCli(["publish", "departures", "-"], {
      input: null,
      onStart: (child) => {
        child.stderr?.setEncoding("utf8").on("data", (text: string) => {
          if (text.includes("reading events")) child.stdin?.write(`${event}\n${event}\n`);
          if (text.includes("2 events stored")) child.kill("SIGINT");
        });
      },
    });
    expect({ code, stdout }).toEqual({ code: 130, stdout: "" });
    expect(stderr).toContain("interrupted: 2 events are stored, up to line 2\n");
  });

  it("of a source that nobody has defined are refused", async () => {
    const { code, stderr } = await cli(["publish", "departurs", event]);
    expect(code).toBe(3);
    expect(stderr).toContain('no event source "departurs" in the catalog; did you mean "departures"?');
    expect((await cli(["publish", "flights", event])).stderr).toContain('source "flights" is a table');
  });
});

/** A batch-runner that has begun a run and never comes to its end. */
async function startEndlessRunner() {
  const { host: address, username: user, password: pass } = new URL(servers.nats.url("batch-runner"));
  const runner = await connect({ servers: address, user, pass });
  const status: BatchRunStatus = {
    view: "route_profile",
    request: "r1",
    run: 1,
    phase: "publishing",
    intervalEndMs: 0,
    counts: { rows: 0, inserted: 0, updated: 0, deleted: 0, unchanged: 0, suppressed: 0, published: 0 },
    progress: { step: "publishing", done: 12, total: 3_000 },
    startedAtMs: 0,
  };
  const answers = {
    [subjects.batchRun]: { accepted: true, request: "r1", view: "route_profile", intervalEndMs: 0 },
    [subjects.batchStatus]: { instance: "test", catalogVersion: 1, runs: [status] },
  };
  for (const [subject, answer] of Object.entries(answers)) {
    runner.subscribe(subject, { callback: (_error, message) => void message.respond(JSON.stringify(answer)) });
  }
  await runner.flush();
  return runner;
}

describe("a run that is followed", () => {
  it("shows how far it is, and an interrupt says that it goes on", async () => {
    const runner = await startEndlessRunner();
    const { code, stderr } = await startCli(["run", "route_profile"], {
      onStart: (child) =>
        child.stderr?.setEncoding("utf8").on("data", (text: string) => {
          if (text.includes("12 of 3,000")) child.kill("SIGINT");
        }),
    });
    await runner.close();
    expect(code).toBe(130);
    expect(stderr).toBe(
      "route_profile: publishing 12 of 3,000 rows\n" +
        "interrupted: route_profile: publishing 12 of 3,000 rows; the runner goes on with it: see `tributary status`\n",
    );
  });
});

describe("a reader that goes away", () => {
  const [node, ...args] = [process.execPath, ...nodeArguments(cliMain)].map((word) => `'${word}'`);
  const pipe = (line: string) => {
    const script = `set -o pipefail; ${line.replace("tributary", `${node} ${args.join(" ")}`)}`;
    return spawn("bash", ["-c", script], { cwd: folder.path });
  };

  it("ends a command that prints for ever, quietly", async () => {
    const child = pipe("tributary tail departures --json | head -n 1");
    let stderr = "";
    let stdout = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
    });
    const closed = once(child, "close");
    let ended = false;
    void closed.then(() => {
      ended = true;
    });
    while (!ended) await cli(["publish", "departures", event]);
    expect((await closed)[0]).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ kind: "events", source: "departures" });
    expect(stderr).toBe("listening on trib.v1.events.departures\n");
  });

  it("is no failure of a command that has something to say", async () => {
    const child = pipe("tributary views list | true");
    let stderr = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
    });
    expect({ code: (await once(child, "close"))[0], stderr }).toEqual({ code: 0, stderr: "" });
  });
});
