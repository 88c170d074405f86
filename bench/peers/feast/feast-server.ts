import { setTimeout as pause } from "node:timers/promises";
import { plainEnvironment, startChild } from "@tributary/local/child";
import { freePort } from "@tributary/local/free-port";
import { lastLines } from "@tributary/local/log-tail";
import { Refusal } from "../../refusal.ts";

/** Ms until it answers: it loads half a scientific Python first. */
const answerMsMax = 120_000;
/** Ms from SIGTERM to SIGKILL. */
const drainMsMax = 10_000;
const pollMs = 100;

export interface FeastServerOptions {
  /** Path of the command. */
  readonly feast: string;
  readonly repository: string;
  readonly workers: number;
  /** Of the servers' directory, whose watchdog ends what we leave behind when we are killed. */
  readonly directory: string;
  readonly signal: AbortSignal;
}

export interface FeastServer {
  readonly url: string;
  stop(): Promise<void>;
}

/**
 * What `feast serve` needs, as its documentation puts it for production: workers, registry read once a minute. In its favour no
 * access log, and no worker that ends after a thousand requests, which is its default and would be measured as failures.
 */
export function serveArguments(port: number, workers: number): readonly string[] {
  const options = { port, workers, "worker-connections": 1_000, "max-requests": 0, registry_ttl_sec: 60 };
  const pairs = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
  return ["serve", "--host", "127.0.0.1", "--no-access-log", ...pairs];
}

/** What Feast's programs get of our environment. */
export function feastEnvironment(home: string): Readonly<Record<string, string>> {
  return { ...plainEnvironment(), HOME: home, FEAST_USAGE: "False", PYTHONUNBUFFERED: "1" };
}

/** Resolves when it answers. @throws Refusal with its last lines when it does not */
export async function startFeast(options: FeastServerOptions): Promise<FeastServer> {
  const { feast, repository, workers, directory, signal } = options;
  signal.throwIfAborted();
  const port = await freePort();
  const child = startChild(directory, {
    name: "feast",
    command: feast,
    args: serveArguments(port, workers),
    environment: feastEnvironment(directory),
    workingDirectory: repository,
  });
  const stop = async () => {
    child.signal("SIGTERM");
    const kill = setTimeout(() => child.signalAll("SIGKILL"), drainMsMax);
    await child.exited;
    clearTimeout(kill);
  };
  const url = `http://127.0.0.1:${port}`;
  const endAt = performance.now() + answerMsMax;
  while (!(await answers(url))) {
    if (child.ending === undefined && performance.now() < endAt && !signal.aborted) {
      await pause(pollMs);
      continue;
    }
    await stop();
    signal.throwIfAborted();
    const said = lastLines(child.logFile, child.logOffset);
    throw new Refusal(`feast serve does not answer (${child.ending}):\n${said}`, 1);
  }
  return { url, stop };
}

async function answers(url: string): Promise<boolean> {
  return fetch(`${url}/health`).then(
    ({ ok }) => ok,
    () => false,
  );
}
