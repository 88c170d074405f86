import { dirname, join, relative, resolve } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import type { Servers } from "@tributary/local/servers";
import { assertServersLive } from "@tributary/local/servers-alive";
import type { Services } from "@tributary/local/supervisor";
import { type ApplyContext, applyAsSaved } from "./apply-on-save.ts";
import { callExamples } from "./call-examples.ts";
import type { DevEvent } from "./dev-event.ts";
import { type DevServersOptions, openDevServers, startDevServices } from "./dev-mesh.ts";
import { changedSources, sourceFingerprint } from "./source-fingerprint.ts";

export interface DevOptions extends DevServersOptions, Omit<ApplyContext, "servers"> {
  /** What batch views read as `data/`. */
  readonly dataFolder: string;
  readonly tell: (event: DevEvent) => void;
  /** Resolves when a person wants to stop. */
  readonly stopRequested: Promise<void>;
}

const lookMs = 250;

/**
 * Servers, services and definitions for as long as nobody stops it; every save is planned and applied. What is wrong with the
 * definitions is told and waited out; a server or service that is gone for good ends it.
 *
 *     servers ──▶ apply ──▶ services ──▶ ready ──save──▶ apply ──save──▶ apply … ──stop──▶ services, servers end
 *
 * @throws TributaryError UNAVAILABLE, BAD_CONFIG
 */
export async function runDev(options: DevOptions): Promise<void> {
  const { tell } = options;
  const servers = await openDevServers(options);
  const stopping = new AbortController();
  options.stopRequested.then(() => stopping.abort());
  let services: Services | undefined;
  try {
    tellServers(servers, tell);
    const saved = { text: sourcesOf(options) };
    const { event, body } = await applyAsSaved({ ...options, servers });
    if (!stopping.signal.aborted) {
      tell(event);
      services = await startDevServices(servers, options.dataFolder);
    }
    if (services !== undefined && !stopping.signal.aborted) {
      tellReady(options, services, callExamples(body));
      await Promise.race([followSaves(options, servers, { saved, signal: stopping.signal }), services.failed]);
    }
  } finally {
    tell({ event: "stopping" });
    stopping.abort();
    await services?.stop();
    await servers.stop();
  }
  tell({ event: "stopped" });
}

interface Following {
  /** The state of the sources that was applied last. */
  readonly saved: { text: string };
  readonly signal: AbortSignal;
}

/** Applies what was saved, once two looks in a row see the same; ends with the signal. */
async function followSaves(options: DevOptions, servers: Servers, { saved, signal }: Following): Promise<void> {
  let before = saved.text;
  while (!signal.aborted) {
    await wait(lookMs, undefined, { signal }).catch(() => undefined); // only a stop interrupts it
    if (signal.aborted) return;
    assertServersLive(servers);
    const now = sourcesOf(options);
    if (now === before && now !== saved.text) {
      options.tell({ event: "changed", files: changedSources(saved.text, now).map((file) => nameOf(options, file)) });
      saved.text = now;
      const { event } = await applyAsSaved({ ...options, servers });
      if (!signal.aborted) options.tell(event);
    }
    before = now;
  }
}

/** The definitions and whatever they may import: the folder they are in. */
function sourcesOf({ workingDirectory, file }: DevOptions): string {
  return sourceFingerprint(dirname(resolve(workingDirectory, file)));
}

function nameOf({ workingDirectory }: DevOptions, file: string): string {
  return relative(workingDirectory, file);
}

function tellServers({ directory, versions }: Servers, tell: DevOptions["tell"]): void {
  const { nats = "", redis = "", postgres = "" } = versions;
  tell({ event: "servers", directory, nats, redis, postgres });
}

function tellReady({ directory, tell }: DevOptions, services: Services, examples: readonly string[]): void {
  tell({
    event: "ready",
    storeUrl: services.httpUrl("online-store"),
    gatewayUrl: services.httpUrl("direct-gateway"),
    environment: join(directory, "environment.json"),
    examples,
  });
}
