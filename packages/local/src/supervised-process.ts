import { setTimeout as wait } from "node:timers/promises";
import { TributaryError } from "@tributary/shared/contracts/errors";
import { type Child, plainEnvironment, startChild } from "./child.ts";
import { freePort } from "./free-port.ts";
import { lastLines, readFrom } from "./log-tail.ts";
import { nodeArguments } from "./node-command.ts";
import { afterDeath, noDeaths, type RestartPolicy, waitMs } from "./restart-policy.ts";
import type { ServiceSpec } from "./service-specs.ts";

export interface SupervisionLimits {
  /** One death more within a minute is a failure. */
  readonly deathsPerMinuteMax: number;
  /** A start that takes longer is a death. */
  readonly readyMsMax: number;
}

const pollMs = 15;
const portAttemptsMax = 5;

/**
 * One process, started again when it dies.
 *
 *     start ──▶ starting ──"ready"──▶ ready ──exit──▶ waiting ──▶ starting …
 *     a first start that fails, or too many deaths, is for the caller: `start()` or `failed` rejects
 */
export class SupervisedProcess {
  readonly failed: Promise<never>;
  readonly #spec: ServiceSpec;
  readonly #directory: string;
  readonly #limits: SupervisionLimits;
  readonly #stopping = new AbortController();
  #fail: (error: Error) => void = () => undefined;
  #child: Child | undefined;
  #bornMs = 0;
  #policy: RestartPolicy = noDeaths;
  #killedByUs = false;
  #httpPort = 0;
  #restarts = 0;
  #whenReady: (() => void)[] = [];

  constructor(spec: ServiceSpec, directory: string, limits: SupervisionLimits) {
    this.#spec = spec;
    this.#directory = directory;
    this.#limits = limits;
    this.failed = new Promise((_, fail) => {
      this.#fail = fail;
    });
    this.failed.catch(() => undefined); // said on standard error as well; see #giveUp
  }

  get pid(): number | undefined {
    return this.#child?.ending === undefined ? this.#child?.pid : undefined;
  }

  get restarts(): number {
    return this.#restarts;
  }

  get httpPort(): number {
    return this.#httpPort;
  }

  /** Resolves when it is ready. @throws TributaryError UNAVAILABLE with the last lines of its log */
  async start(): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      if (this.#spec.http) this.#httpPort = await freePort();
      const child = this.#spawn();
      if (await this.#becomesReady(child)) return this.#watch(child);
      const portWasTaken = readFrom(child.logFile, child.logOffset).text.includes("EADDRINUSE");
      if (!portWasTaken || attempt >= portAttemptsMax) throw this.#death(child, "did not become ready");
    }
  }

  /** SIGKILL, then resolves when its successor is ready. */
  async kill(): Promise<void> {
    const ready = new Promise<void>((resolve) => this.#whenReady.push(resolve));
    this.#killedByUs = this.pid !== undefined;
    this.signal("SIGKILL");
    await Promise.race([ready, this.failed]);
  }

  signal(signal: NodeJS.Signals): void {
    this.#child?.signal(signal);
  }

  /** SIGTERM, and SIGKILL after `drainMsMax`. */
  async stop(drainMsMax: number): Promise<void> {
    this.#stopping.abort();
    const child = this.#child;
    if (child === undefined || child.ending !== undefined) return;
    child.signal("SIGTERM");
    child.signal("SIGCONT"); // a paused process hears nothing else
    const timer = setTimeout(() => child.signalAll("SIGKILL"), drainMsMax);
    await child.exited.finally(() => clearTimeout(timer));
  }

  #spawn(): Child {
    const { name, entry, environment, http } = this.#spec;
    this.#bornMs = performance.now();
    this.#child = startChild(this.#directory, {
      name,
      command: process.execPath,
      args: nodeArguments(entry),
      environment: {
        ...plainEnvironment(),
        ...environment,
        ...(http ? { HTTP_HOST: "127.0.0.1", HTTP_PORT: String(this.#httpPort) } : {}),
      },
      workingDirectory: this.#directory,
    });
    return this.#child;
  }

  async #becomesReady(child: Child): Promise<boolean> {
    let offset = child.logOffset;
    let rest = "";
    for (let alive = true; alive; ) {
      alive = child.ending === undefined; // what it said before it ended still counts
      const read = readFrom(child.logFile, offset);
      offset = read.next;
      const lines = `${rest}${read.text}`.split("\n");
      rest = lines.pop() ?? "";
      if (lines.some(saysReady)) return true;
      if (performance.now() - this.#bornMs > this.#limits.readyMsMax) child.signalAll("SIGKILL");
      await wait(pollMs);
    }
    return false;
  }

  #watch(child: Child): void {
    for (const resolve of this.#whenReady.splice(0)) resolve();
    child.exited.then(() => this.#revive(child)).catch((error: Error) => this.#giveUp(error));
  }

  async #revive(dead: Child): Promise<void> {
    for (let last = dead; !this.#stopping.signal.aborted; ) {
      await this.#waitAfter(last);
      if (this.#stopping.signal.aborted) return;
      this.#restarts++;
      const child = this.#spawn();
      if (await this.#becomesReady(child)) return this.#watch(child);
      last = child;
    }
  }

  async #waitAfter(dead: Child): Promise<void> {
    if (this.#killedByUs) {
      this.#killedByUs = false;
      return;
    }
    this.#policy = afterDeath(this.#policy, { bornMs: this.#bornMs, diedMs: performance.now() });
    const ms = waitMs(this.#policy, this.#limits.deathsPerMinuteMax);
    if (ms === undefined) throw this.#death(dead, `died ${this.#policy.deaths.length} times within a minute`);
    await wait(ms, undefined, { signal: this.#stopping.signal }).catch(() => undefined); // only a stop interrupts it
  }

  #giveUp(error: Error): void {
    process.stderr.write(`${error.message}\n`);
    this.#fail(error);
  }

  #death(child: Child, what: string): TributaryError {
    const lines = lastLines(child.logFile, child.logOffset);
    return new TributaryError("UNAVAILABLE", `${this.#spec.name} ${what} (${child.ending}):\n${lines}`);
  }
}

function saysReady(line: string): boolean {
  if (!line.includes('"ready"')) return false;
  try {
    return (JSON.parse(line) as { msg?: unknown }).msg === "ready";
  } catch {
    return false; // not one of the service's own log lines
  }
}
