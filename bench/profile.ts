import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath, pathToFileURL } from "node:url";
import { profileShares } from "./profile-shares.ts";

/** Takes CPU profiles of a service, for `--profile`: one file a measured load, and what it says as a table. */
export interface Profiler {
  /** What the service has to be started with. */
  readonly environment: Readonly<Record<string, string>>;
  /** Does the work under a profile. */
  during<T>(pid: number | undefined, work: () => Promise<T>): Promise<T>;
}

const preload = fileURLToPath(new URL("./profile-preload.mjs", import.meta.url));
const writeMsMax = 20_000;

/** @param folder the file in it is replaced by each profile */
export function profilerInto(folder: string, note: (line: string) => void): Profiler {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, "service.cpuprofile");
  const environment = { NODE_OPTIONS: `--import ${pathToFileURL(preload).href}`, BENCH_PROFILE: file };
  const during = async <T>(pid: number | undefined, work: () => Promise<T>): Promise<T> => {
    if (pid === undefined) throw new Error("the service that is to be profiled is not there");
    rmSync(file, { force: true });
    process.kill(pid, "SIGUSR2");
    const result = await work();
    process.kill(pid, "SIGUSR2");
    note(profileShares(await written(file)));
    return result;
  };
  return { environment, during };
}

async function written(file: string): Promise<unknown> {
  for (const deadline = performance.now() + writeMsMax; performance.now() < deadline; await pause(50)) {
    try {
      if (existsSync(file)) return JSON.parse(readFileSync(file, "utf8"));
    } catch {
      // Half written.
    }
  }
  throw new Error(`no profile was written within ${writeMsMax} ms`);
}
