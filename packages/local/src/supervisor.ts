import { TributaryError } from "@tributary/shared/contracts/errors";
import { logFileOf } from "./child.ts";
import type { Servers } from "./servers.ts";
import { type ServiceSpec, serviceNames, serviceSpec } from "./service-specs.ts";
import { SupervisedProcess, type SupervisionLimits } from "./supervised-process.ts";

/** The services of one machine, kept alive until `stop()`. */
export interface Services {
  readonly names: readonly string[];
  /** Undefined while it is dead. */
  pid(name: string): number | undefined;
  restarts(name: string): number;
  /** `http://127.0.0.1:<port>`, the same after a restart. */
  httpUrl(name: string): string;
  logFile(name: string): string;
  /** SIGKILL; resolves when the successor is ready. */
  kill(name: string): Promise<void>;
  /** SIGSTOP and SIGCONT: the process that stalls and comes back. */
  pause(name: string): void;
  resume(name: string): void;
  /** Rejects when a service keeps dying. */
  readonly failed: Promise<never>;
  /** SIGTERM to all, SIGKILL to those that do not end within ten seconds. */
  stop(): Promise<void>;
}

export interface ServicesOptions {
  readonly servers: Servers;
  /** For logs and the process table; default the servers' directory, which has to be the same for both. */
  readonly directory?: string;
  /** Instances to start (see `serviceSpec`); default one of each service. */
  readonly names?: readonly string[];
  /** Further variables for every service, for example LOG_LEVEL. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Further variables for one instance, by its name. */
  readonly environments?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Processes beside the services, kept alive the same way. */
  readonly extra?: readonly ServiceSpec[];
  readonly limits?: Partial<SupervisionLimits>;
}

const drainMsMax = 10_000;
const defaultLimits: SupervisionLimits = { deathsPerMinuteMax: 10, readyMsMax: 60_000 };

/**
 * Starts all at once and resolves when every one is ready.
 * @throws TributaryError UNAVAILABLE with the log's last lines when one does not become ready; then none is left running
 */
export async function startServices(options: ServicesOptions): Promise<Services> {
  const directory = options.directory ?? options.servers.directory;
  const specs = [...(options.names ?? serviceNames).map((name) => specOf(name, options)), ...(options.extra ?? [])];
  const limits = { ...defaultLimits, ...options.limits };
  const processes = new Map(specs.map((spec) => [spec.name, new SupervisedProcess(spec, directory, limits)]));
  const all = [...processes.values()];
  const stop = async () => {
    await Promise.all(all.map((one) => one.stop(drainMsMax)));
  };
  const started = await Promise.allSettled(all.map((one) => one.start()));
  const failure = started.find((result) => result.status === "rejected");
  if (failure !== undefined) {
    await stop();
    throw failure.reason;
  }
  return { stop, ...controls(processes, directory) };
}

function specOf(name: string, options: ServicesOptions): ServiceSpec {
  const spec = serviceSpec(name, options.servers);
  const more = { ...options.environment, ...options.environments?.[name] };
  return { ...spec, environment: { ...spec.environment, ...more } };
}

function controls(processes: ReadonlyMap<string, SupervisedProcess>, directory: string): Omit<Services, "stop"> {
  const get = (name: string): SupervisedProcess => {
    const found = processes.get(name);
    if (found !== undefined) return found;
    throw new TributaryError("BAD_CONFIG", `"${name}" was not started; there is ${[...processes.keys()].join(", ")}`);
  };
  const failed = Promise.race([...processes.values()].map((one) => one.failed));
  failed.catch(() => undefined); // whoever wants to know awaits it
  return {
    names: [...processes.keys()],
    pid: (name) => get(name).pid,
    restarts: (name) => get(name).restarts,
    httpUrl: (name) => httpUrl(name, get(name).httpPort),
    logFile: (name) => logFileOf(directory, name),
    kill: (name) => get(name).kill(),
    pause: (name) => get(name).signal("SIGSTOP"),
    resume: (name) => get(name).signal("SIGCONT"),
    failed,
  };
}

function httpUrl(name: string, port: number): string {
  if (port === 0) throw new TributaryError("BAD_CONFIG", `${name} does not speak HTTP`);
  return `http://127.0.0.1:${port}`;
}
