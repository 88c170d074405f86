import { claimDirectory } from "@tributary/local/directory-claim";
import { ServerProcess, type ServerRecipe } from "@tributary/local/server-process";
import { describe, expect, it, onTestFinished } from "vitest";
import { temporaryDirectory } from "../support/temporary-directory.ts";

/** A server that is a line of shell; which line, depends on how often it was started. */
async function serverOf(...lines: readonly string[]) {
  const directory = temporaryDirectory("process");
  const claim = await claimDirectory(directory.path);
  const ports: number[] = [];
  const recipe: ServerRecipe = {
    name: "pretender",
    stopSignal: "SIGTERM",
    prepare: async (port) => {
      const line = lines[Math.min(ports.length, lines.length - 1)] ?? "";
      ports.push(port);
      return { name: "pretender", command: "sh", args: ["-c", line], environment: {}, workingDirectory: "/" };
    },
    answers: async () => ports.length === lines.length,
  };
  const server = new ServerProcess(recipe, directory.path);
  onTestFinished(async () => {
    await server.kill();
    await claim.release();
    directory.remove();
  });
  return { server, ports };
}

const taken = "echo 'bind: Address already in use'; exit 1";

describe("a server process", () => {
  it("takes another port when somebody was quicker", async () => {
    const { server, ports } = await serverOf(taken, taken, "exec /bin/sleep 60");
    await server.start();
    expect(new Set(ports).size).toBe(3);
    expect(server.port).toBe(ports[2]);
  });

  it("keeps its port when it is started again, and waits until that is free", async () => {
    const { server, ports } = await serverOf("exec /bin/sleep 60");
    await server.start();
    const { port } = server;
    await server.kill();
    expect(server.pid).toBeUndefined();
    ports.length = 0;
    await server.start();
    expect(server.port).toBe(port);
  });

  it("tells the end of its log when it dies at its start", async () => {
    const { server } = await serverOf("echo 'unknown directive on line 3'; exit 4", "never");
    await expect(server.start()).rejects.toThrow(/pretender did not start.*exit code 4[\s\S]*directive on line 3/);
    expect(server.pid).toBeUndefined();
  });

  it("says which program cannot be run", async () => {
    const { server } = await serverOf("exec /no/such/program", "never");
    await expect(server.start()).rejects.toThrow(/no\/such\/program/);
  });
});
