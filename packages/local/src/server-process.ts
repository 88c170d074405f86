import { TributaryError } from "@tributary/shared/contracts/errors";
import { type Child, type ChildCommand, startChild } from "./child.ts";
import { freePort } from "./free-port.ts";
import { lastLines, readFrom } from "./log-tail.ts";

/** What differs between the servers. */
export interface ServerRecipe {
  readonly name: string;
  /** Writes the configuration for this port and says how to start. */
  prepare(port: number): Promise<ChildCommand>;
  /** Whether this very process answers now. */
  answers(port: number, pid: number): Promise<boolean>;
  readonly stopSignal: NodeJS.Signals;
}

const attemptsMax = 10;
const answerMsMax = 30_000;
const stopMsMax = 10_000;
const pollMs = 15;
const portTaken = /in use|EADDRINUSE/i;
/** PostgreSQL's children outlive a killed parent by a moment, and hold its memory. */
const notYetFree = /pre-existing shared memory block|lock file .* exists/i;

/** One private server: found dead or alive at any time, restarted on the same port with the same data. */
export class ServerProcess {
  readonly #recipe: ServerRecipe;
  readonly #directory: string;
  #child: Child | undefined;
  #port = 0;
  #expectedToEnd = false;

  constructor(recipe: ServerRecipe, directory: string) {
    this.#recipe = recipe;
    this.#directory = directory;
  }

  get port(): number {
    return this.#port;
  }

  get pid(): number | undefined {
    return this.#child?.ending === undefined ? this.#child?.pid : undefined;
  }

  /** Resolves when it answers. @throws TributaryError UNAVAILABLE with the last lines of its log */
  async start(): Promise<void> {
    if (this.pid !== undefined) return;
    for (let attempt = 1; ; attempt++) {
      if (this.#port === 0) this.#port = await freePort();
      const child = startChild(this.#directory, await this.#recipe.prepare(this.#port));
      if (await this.#waitForAnswer(child)) return this.#watch(child);
      const said = readFrom(child.logFile, child.logOffset).text;
      const retryable = portTaken.test(said) || notYetFree.test(said);
      if (!retryable || attempt >= attemptsMax) throw this.#deadAtStart(child);
      if (portTaken.test(said) && this.#child === undefined) this.#port = 0; // only a first start may move
      await pause(pollMs * attempt);
    }
  }

  /** SIGKILL, as a crash would: to it and its own children. */
  async kill(): Promise<void> {
    await this.#end("SIGKILL");
  }

  async stop(): Promise<void> {
    await this.#end(this.#recipe.stopSignal);
  }

  /** Freezes it: connections stay open and nothing answers. */
  pause(): void {
    this.#child?.signalAll("SIGSTOP");
  }

  resume(): void {
    this.#child?.signalAll("SIGCONT");
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.ending !== undefined) return;
    this.#expectedToEnd = true;
    if (signal !== "SIGKILL") child.signalAll("SIGCONT");
    if (signal === "SIGKILL") child.signalAll(signal);
    else child.signal(signal);
    const timer = setTimeout(() => child.signalAll("SIGKILL"), stopMsMax);
    await child.exited.finally(() => clearTimeout(timer));
  }

  async #waitForAnswer(child: Child): Promise<boolean> {
    const deadline = performance.now() + answerMsMax;
    while (child.ending === undefined) {
      if (await this.#recipe.answers(this.#port, child.pid)) return child.ending === undefined;
      if (performance.now() > deadline) child.signalAll("SIGKILL");
      await pause(pollMs);
    }
    return false;
  }

  #watch(child: Child): void {
    this.#child = child;
    this.#expectedToEnd = false;
    child.exited.then((how) => {
      if (this.#expectedToEnd || this.#child !== child) return;
      process.stderr.write(`${this.#recipe.name} ended by itself (${how}); its log: ${child.logFile}\n`);
    });
  }

  #deadAtStart(child: Child): TributaryError {
    const lines = lastLines(child.logFile, child.logOffset);
    return new TributaryError(
      "UNAVAILABLE",
      `${this.#recipe.name} did not start on port ${this.#port} (${child.ending}):\n${lines}`,
    );
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
