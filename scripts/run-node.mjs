import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { constants } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const nodeMin = [20, 19];

/** What is wrong with this version of Node, if anything. */
export function nodeProblem(version) {
  const [major, minor] = version.split(".").map(Number);
  const isEnough = major > nodeMin[0] || (major === nodeMin[0] && minor >= nodeMin[1]);
  return isEnough ? undefined : `Tributary needs Node ${nodeMin.join(".")} or newer; this is Node ${version}.`;
}

export function say(line) {
  process.stderr.write(`${line}\n`);
}

/** Arguments for `node` that run the TypeScript sources as they are, from any working directory. */
export function typescriptArguments(root) {
  return ["--conditions=tributary-source", ...loaderArguments(root)];
}

/** The same for a file that imports our packages as they were compiled. */
export function loaderArguments(root) {
  const loader = createRequire(join(root, "package.json")).resolve("tsx");
  return ["--import", pathToFileURL(loader).href];
}

/**
 * Runs node on our terminal and resolves with its exit code. Signals are passed on, except a terminal's Ctrl-C: the
 * terminal sends that to every process of the group itself.
 */
export function runNode(args, workingDirectory) {
  const child = spawn(process.execPath, args, { cwd: workingDirectory, stdio: "inherit" });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
    process.on(signal, () => {
      if (signal !== "SIGINT" || !process.stdin.isTTY) child.kill(signal);
    });
  }
  return new Promise((resolve, fail) => {
    child.once("error", fail);
    child.once("exit", (code, signal) => resolve(code ?? 128 + (constants.signals[signal] ?? 0)));
  });
}
