import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ensureEnvironment } from "@tributary/cli/admin/ensure";
import { applyCatalog } from "@tributary/cli/catalog/apply";
import { connectTributary, type Tributary } from "@tributary/client/connect";
import { clearDirectory } from "@tributary/local/clear-directory";
import { environmentOf, writeEnvironmentFile } from "@tributary/local/environment-file";
import { openServers, type Servers } from "@tributary/local/servers";
import { type Services, startServices } from "@tributary/local/supervisor";
import { compileDefinitions } from "@tributary/shared/definitions/compile";
import { openBucket } from "@tributary/shared/messaging/bucket";
import { openConnection } from "@tributary/shared/messaging/connection";
import type { Connection } from "@tributary/shared/messaging/contract";
import { type ClockDriver, driveClock } from "./clock-driver.ts";
import { startMs } from "./dataset.ts";
import * as definitions from "./definitions.ts";
import { type Engine, openEngine } from "./engine.ts";
import { clocksFollow } from "./positions.ts";
import type { ScorerReport } from "./scorer.ts";

/** Everything that `npm start` runs: servers, services, the scorer, and the hands that drive them. */
export interface Mesh {
  readonly directory: string;
  readonly lake: string;
  readonly servers: Servers;
  readonly services: Services;
  /** As the user `admin`. */
  readonly connection: Connection;
  readonly client: Tributary;
  readonly clock: ClockDriver;
  readonly engine: Engine;
  readonly catalogVersion: number;
  scorerReport(): ScorerReport;
  stop(): Promise<void>;
}

export interface MeshOptions {
  readonly directory: string;
  /** Go on with what an earlier start left behind. */
  readonly keep: boolean;
  readonly yes: boolean;
  readonly say: (line: string) => void;
}

export async function startMesh(options: MeshOptions): Promise<Mesh> {
  const { directory, say } = options;
  if (!options.keep) await clearDirectory(directory);
  const undo: (() => Promise<void>)[] = [];
  const stop = async (): Promise<void> => {
    for (const step of undo.splice(0).reverse()) await step();
  };
  try {
    const servers = await openServers({ directory, yes: options.yes });
    undo.push(() => servers.stop());
    const { nats, redis, postgres } = servers.versions;
    say(`servers   nats-server ${nats}, redis ${redis}, postgres ${postgres}`);
    await ensureEnvironment({ natsUrl: servers.nats.url("admin"), databaseUrl: servers.postgres.url });
    const connection = await openConnection({ url: servers.nats.url("admin"), name: "npm-start" });
    undo.push(() => connection.close());
    // The clock stands before any service looks at it.
    const clock = await driveClock(await openBucket(connection, "TRIB_CLOCK"), startMs, (follows) =>
      clocksFollow(connection, follows),
    );
    const { version } = await applyCatalog({
      body: compileDefinitions(Object.values(definitions)),
      natsUrl: servers.nats.url("admin"),
      databaseUrl: servers.postgres.url,
      author: "npm start",
    });
    const report = join(directory, "scorer.json");
    const services = await startServices({
      servers,
      environment: { LOG_LEVEL: "info" },
      environments: {
        "batch-runner": { BATCH_SCHEDULE: "off" },
        // As long as readers wait here: a busy machine takes its time.
        "online-store": { READ_TIMEOUT_MS: "5000" },
      },
      extra: [
        {
          name: "scorer",
          entry: fileURLToPath(new URL("./scorer.ts", import.meta.url)),
          environment: { NATS_URL: servers.nats.url("client"), SCORER_REPORT: report },
          http: false,
        },
      ],
    });
    undo.push(() => services.stop());
    say(`services  ${services.names.join(", ")} are ready; catalog version ${version}`);
    const client = await connectTributary({ natsUrl: servers.nats.url("client") });
    undo.push(() => client.close());
    const engine = await openEngine();
    undo.push(async () => engine.close());
    const forget = writeEnvironmentFile(directory, environmentOf(servers, services));
    undo.push(async () => forget());
    return {
      ...{ directory, lake: join(directory, "lake"), servers, services, connection, client, clock, engine },
      catalogVersion: version,
      scorerReport: () => readReport(report),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

function readReport(file: string): ScorerReport {
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as ScorerReport) : { writes: 0, last: {} };
}
