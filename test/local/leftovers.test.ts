import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { clearDirectory } from "@tributary/local/clear-directory";
import { endLeftovers } from "@tributary/local/leftovers";
import { nodeArguments } from "@tributary/local/node-command";
import { isAlive, startedAt } from "@tributary/local/process-identity";
import { listProcesses, registerProcess } from "@tributary/local/process-table";
import { startServers } from "@tributary/local/servers";
import { describe, expect, it, onTestFinished } from "vitest";
import { temporaryDirectory } from "../support/temporary-directory.ts";
import { until } from "../support/until.ts";

const watchdogScript = fileURLToPath(new URL("../../packages/local/src/end-leftovers.ts", import.meta.url));

function directoryForTest(): string {
  const directory = temporaryDirectory("leftovers");
  onTestFinished(() => directory.remove());
  return directory.path;
}

async function startOwner(directory: string): Promise<ChildProcess> {
  const script = fileURLToPath(new URL("./owner.ts", import.meta.url));
  const owner = spawn(process.execPath, [...nodeArguments(script), directory], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(() => void owner.kill("SIGKILL"));
  await new Promise((resolve) => owner.stdout?.once("data", resolve));
  return owner;
}

/** A process of ours that nobody is the owner of any more. */
function startStray(): { pid: number; started: string } {
  const stray = spawn("sleep", ["60"], { detached: true, stdio: "ignore" });
  onTestFinished(() => void stray.kill("SIGKILL"));
  const pid = Number(stray.pid);
  return { pid, started: String(startedAt(pid)) };
}

function writeTable(directory: string, processes: readonly object[]): void {
  mkdirSync(directory, { recursive: true });
  const owner = { name: "owner", pid: 999_999_999, started: "long ago" };
  writeFileSync(join(directory, "processes.json"), JSON.stringify({ owner, processes }));
}

describe("a dead owner", () => {
  it("leaves no server behind, even when it was killed", async () => {
    const directory = directoryForTest();
    const owner = await startOwner(directory);
    const processes = listProcesses(directory);
    expect(processes.map(({ name }) => name).sort()).toEqual(["nats-server", "postgres", "redis-server"]);
    owner.kill("SIGKILL");
    await until(() => !processes.some(isAlive));
    await until(() => listProcesses(directory).length === 0);
  });

  it("leaves data that the next one can use", async () => {
    const directory = directoryForTest();
    const owner = await startOwner(directory);
    const password = readFileSync(join(directory, "credentials.json"), "utf8");
    owner.kill("SIGKILL");
    await until(() => owner.signalCode === "SIGKILL");
    const servers = await startServers({ directory, fsync: false });
    expect(readFileSync(join(directory, "credentials.json"), "utf8")).toBe(password);
    await servers.stop();
  });
});

describe("a watchdog that comes late", () => {
  it("never touches what the next owner has started", () => {
    const directory = directoryForTest();
    const stray = startStray();
    writeTable(directory, [{ name: "stray", ...stray }]);
    const runWatchdog = (pid: string, started: string) =>
      execFileSync(process.execPath, [...nodeArguments(watchdogScript), directory, pid, started]);
    runWatchdog("999999999", "longer ago");
    expect(isAlive(stray)).toBe(true);
    runWatchdog("999999999", "long ago");
    expect(isAlive(stray)).toBe(false);
  });
});

describe("an orderly stop", () => {
  it("ends also what was started in the directory and forgotten", async () => {
    const directory = directoryForTest();
    const servers = await startServers({ directory, need: [] });
    const stray = startStray();
    registerProcess(directory, { name: "stray", pid: stray.pid });
    await servers.stop();
    expect(isAlive(stray)).toBe(false);
    expect(listProcesses(directory)).toEqual([]);
  });
});

describe("a data directory", () => {
  it("is cleared with what a dead owner left running in it", async () => {
    const directory = join(directoryForTest(), "data");
    const stray = startStray();
    writeTable(directory, [{ name: "stray", ...stray }]);
    writeFileSync(join(directory, "credentials.json"), "{}");
    await clearDirectory(directory);
    expect(isAlive(stray)).toBe(false);
    expect(existsSync(directory)).toBe(false);
    await clearDirectory(directory);
  });

  it("is not cleared while it is in use", async () => {
    const directory = directoryForTest();
    const servers = await startServers({ directory, need: ["redis"] });
    await expect(clearDirectory(directory)).rejects.toThrow(/in use by process/);
    await servers.stop();
    await clearDirectory(directory);
    expect(existsSync(directory)).toBe(false);
  });

  it("is not cleared when it is somebody else's", async () => {
    const directory = directoryForTest();
    writeFileSync(join(directory, "novel.txt"), "Chapter 1");
    await expect(clearDirectory(directory)).rejects.toThrow(/not a data directory/);
    expect(existsSync(join(directory, "novel.txt"))).toBe(true);
  });
});

describe("the process table", () => {
  it("ends a leftover that it can prove to be its own", async () => {
    const directory = directoryForTest();
    const stray = startStray();
    writeTable(directory, [{ name: "stray", ...stray }]);
    expect(listProcesses(directory)).toEqual([{ name: "stray", ...stray }]);
    await endLeftovers(directory);
    expect(isAlive(stray)).toBe(false);
    expect(listProcesses(directory)).toEqual([]);
  });

  it("never touches a process that has taken over an old pid", async () => {
    const directory = directoryForTest();
    const stray = startStray();
    writeTable(directory, [{ name: "stray", pid: stray.pid, started: "another time" }]);
    await endLeftovers(directory);
    expect(isAlive(stray)).toBe(true);
  });

  it("is empty where nothing was ever started", () => {
    expect(listProcesses(directoryForTest())).toEqual([]);
  });

  it("refuses a file that it did not write", () => {
    const directory = directoryForTest();
    writeFileSync(join(directory, "processes.json"), '{"processes":[{"pid":1}]}');
    expect(() => listProcesses(directory)).toThrow(/processes.json cannot be read/);
  });
});
