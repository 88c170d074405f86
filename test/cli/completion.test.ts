import { execFileSync, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { ensureEnvironment } from "@tributary/cli/admin/ensure";
import { applyCatalog } from "@tributary/cli/catalog/apply";
import { commandEntries } from "@tributary/cli/command-table";
import { catalogNames } from "@tributary/cli/completion/catalog-names";
import { nodeArguments } from "@tributary/local/node-command";
import { type Servers, startServers } from "@tributary/local/servers";
import type { Catalog } from "@tributary/shared/contracts/catalog";
import { compileDefinitions } from "@tributary/shared/definitions/compile";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { temporaryDirectory } from "../support/temporary-directory.ts";
import { until } from "../support/until.ts";
import { folderFor } from "./environment-file.ts";
import * as definitions from "./examples/features.ts";
import { runCli } from "./run-cli.ts";

const directory = temporaryDirectory("completion");
let servers: Servers;
let folder: ReturnType<typeof folderFor>;
const scriptOf = (shell: string) => join(directory.path, `completion.${shell}`);
const body = compileDefinitions(Object.values(definitions));

const asking = (file: string) => fileURLToPath(new URL(`completion/${file}`, import.meta.url));
/** As each shell asks what may follow these words, the last of them unfinished. */
const askers: Readonly<Record<string, (words: readonly string[]) => readonly string[]>> = {
  bash: (words) => ["--norc", asking("ask.bash"), scriptOf("bash"), ...words],
  zsh: (words) => ["-f", asking("ask.zsh"), scriptOf("zsh"), ...words],
  fish: (words) => ["--no-config", "-c", `source ${scriptOf("fish")}; complete -C "${words.join(" ")}"`],
};

const isThere = (shell: string) =>
  (process.env.PATH ?? "").split(delimiter).some((path) => spawnSync(join(path, shell), ["--version"]).status === 0);
// Bash is everywhere; the others where somebody uses them.
const shells = ["bash", ...["zsh", "fish"].filter(isThere)];

beforeAll(async () => {
  servers = await startServers({ directory: directory.path, need: ["nats", "postgres"], fsync: false });
  const urls = { natsUrl: servers.nats.url("admin"), databaseUrl: servers.postgres.url };
  await ensureEnvironment(urls);
  await applyCatalog({ body, ...urls });
  folder = folderFor(servers, { postgres: false });
  writeFileSync(join(folder.path, "features.ts"), "");
  for (const shell of shells) {
    const { stdout } = await runCli(["completion", shell], { directory: folder.path });
    writeFileSync(scriptOf(shell), stdout);
  }
  const main = fileURLToPath(new URL("../../packages/cli/src/main.ts", import.meta.url));
  const command = [process.execPath, ...nodeArguments(main)].map((word) => `'${word}'`).join(" ");
  writeFileSync(join(directory.path, "tributary"), `#!/bin/sh\nexec ${command} "$@"\n`);
  chmodSync(join(directory.path, "tributary"), 0o755);
});
afterAll(async () => {
  await servers?.stop();
  directory.remove();
  folder?.remove();
});

/** What a shell offers behind these words, narrowed to the last of them as the shell itself does. */
function complete(shell: string, line: string): string[] {
  const words = line.split(" ");
  const { HOME = "", PATH = "" } = process.env;
  const env = { HOME, PATH: `${directory.path}${delimiter}${PATH}` };
  const offered = execFileSync(shell, askers[shell]?.(words) ?? [], {
    cwd: folder.path,
    env,
    encoding: "utf8",
    timeout: 20_000,
  });
  return offered
    .split("\n")
    .map((one) => one.split("\t", 1)[0] ?? "")
    .filter((one) => one !== "" && one.startsWith(words.at(-1) ?? ""))
    .sort();
}

describe.each(shells)("completion for %s", (shell) => {
  it("is a script that the shell can read", () => {
    expect(spawnSync(shell, ["-n", scriptOf(shell)], { encoding: "utf8" })).toMatchObject({ status: 0, stderr: "" });
  });

  it.each([
    ["tributary vi", ["views"]],
    ["tributary dlq ", ["list", "replay", "show"]],
    ["tributary --json dlq li", ["list"]],
    ["tributary dlq list --l", ["--lane", "--limit"]],
    ["tributary dlq list --lane ", ["batch", "direct", "stream"]],
    ["tributary dlq list --limit 3 --la", ["--lane"]],
    ["tributary status --qu", ["--quiet"]],
    ["tributary completion ", ["bash", "fish", "zsh"]],
    ["tributary clock p", ["pause"]],
    ["tributary plan feat", ["features.ts"]],
    ["tributary status x", []],
  ])("offers behind '%s' %j", (line, offered) => {
    expect(complete(shell, line)).toEqual(offered);
  });

  it.each([
    ["tributary views show ", ["airport_now", "congestion", "route_profile"]],
    ["tributary put ", ["congestion"]],
    ["tributary run ", ["route_profile"]],
    ["tributary publish ", ["departures"]],
    ["tributary sources show ", ["departures", "flights"]],
    ["tributary entities show a", ["airport"]],
    ["tributary tail con", ["congestion"]],
  ])("asks the current catalog behind '%s'", async (line, names) => {
    // A busy machine may be slower than a key press; then nothing is offered.
    const some = await until(() => {
      const found = complete(shell, line);
      return found.length > 0 && found;
    });
    expect(some).toEqual(names);
  });
});

describe("names of the current catalog", () => {
  const ask = (kind: string, environment: Readonly<Record<string, string>> = {}) =>
    runCli(["complete-names", kind], { directory: folder.path, environment });

  it("come a line each", async () => {
    expect(await ask("feature-service")).toMatchObject({ code: 0, stdout: "boarding\n", stderr: "" });
    expect(await ask("subject")).toMatchObject({ stdout: "airport_now\ncongestion\ndepartures\nroute_profile\n" });
  });

  it("stay away in silence when there is no server, no answer, or no such kind", async () => {
    const silent = { code: 0, stdout: "", stderr: "" };
    expect(await ask("view", { NATS_URL: "nats://client:x@127.0.0.1:1" })).toMatchObject(silent);
    // Takes connections and never speaks.
    const mute = createServer().listen(0, "127.0.0.1");
    await once(mute, "listening");
    const port = (mute.address() as AddressInfo).port;
    expect(await ask("view", { NATS_URL: `nats://client:x@127.0.0.1:${port}` })).toMatchObject(silent);
    mute.close();
    expect(await ask("nonsense")).toMatchObject(silent);
  });

  it("hold nothing that a shell would run", () => {
    const views = { "$(touch x)": {}, "a b": {}, congestion: {} };
    expect(catalogNames({ ...body, views } as unknown as Catalog, "view")).toEqual(["congestion"]);
  });
});

it("hides what only scripts call", async () => {
  const hidden = commandEntries().filter(({ spec }) => spec.hidden);
  expect(hidden.map(({ path }) => path.join(" "))).toEqual(["complete-names"]);
  expect((await runCli(["--help"], { directory: folder.path })).stdout).not.toContain("complete-names");
});
