import { readFileSync } from "node:fs";
import { performance } from "node:perf_hooks";
import { asTributaryError, errorTable } from "../contracts/errors.ts";
import { type Config, type ConfigTable, type commonOptions, describeConfig, readConfig } from "./config.ts";
import { createLogger, type Logger } from "./logger.ts";

/**
 * A service's life: read the settings, start, announce readiness, run until SIGTERM or SIGINT (drain, then exit 0)
 * or until something it needs fails for good (log the cause once, exit 1). It dies loudly rather than limp.
 */
export interface RunningService {
  /** Rejects when the service cannot go on. */
  readonly failed: Promise<unknown>;
  /** Takes no new work, finishes what is in hand. */
  stop(): Promise<void>;
}

export interface ServiceDefinition<T extends ConfigTable & typeof commonOptions> {
  readonly name: string;
  readonly description: string;
  readonly options: T;
  readonly start: (
    config: Config<T>,
    context: { readonly logger: Logger; readonly instance: string },
  ) => Promise<RunningService>;
}

const drainMsMax = 10_000;

export async function runService<T extends ConfigTable & typeof commonOptions>(
  definition: ServiceDefinition<T>,
): Promise<void> {
  if (process.argv.includes("--help") || process.argv.includes("-h")) {
    process.stdout.write(
      `${definition.name}: ${definition.description}\n\nEnvironment:\n${describeConfig(definition.options)}\n`,
    );
    return;
  }
  let logger = createLogger({ name: definition.name, level: "info" });
  process.on("uncaughtException", (error) => die(logger, error));
  process.on("unhandledRejection", (error) => die(logger, error));
  const stopRequested = stopSignal();
  try {
    const config = readConfig(definition.options, process.env, (path) => readFileSync(path, "utf8"));
    const common = config as Config<typeof commonOptions>;
    const instance = common.instance ?? `${definition.name}-1`;
    logger = createLogger({ name: instance, level: common.logLevel });
    const service = await definition.start(config, { logger, instance });
    logger.info({ startMs: Math.round(performance.now()) }, "ready");
    const signal = await Promise.race([
      stopRequested,
      service.failed.then(() => Promise.reject(new Error("stopped by itself"))),
    ]);
    logger.info({ signal }, "stopping");
    await withDeadline(service.stop());
    logger.info("stopped");
    process.exit(0);
  } catch (error) {
    die(logger, error);
  }
}

function stopSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => resolve(signal));
  });
}

async function withDeadline(work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_, fail) => {
    timer = setTimeout(() => fail(new Error(`did not drain within ${drainMsMax} ms`)), drainMsMax);
  });
  await Promise.race([work, deadline]).finally(() => clearTimeout(timer));
}

function die(logger: Logger, thrown: unknown): never {
  const error = asTributaryError(thrown);
  logger.fatal(
    { code: error.code, hint: errorTable[error.code].fix, stack: error.code === "INTERNAL" ? error.stack : undefined },
    error.message,
  );
  process.exit(1);
}
