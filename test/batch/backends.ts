import { openConnection } from "@tributary/shared/messaging/connection";
import { createPublisher } from "@tributary/shared/messaging/publisher";
import { createLogger } from "@tributary/shared/runtime/logger";
import { openDatabase } from "../../services/batch-runner/src/adapters/database.ts";
import { openDuckDb } from "../../services/batch-runner/src/adapters/duckdb-engine.ts";
import { openLake } from "../../services/batch-runner/src/adapters/lake-files.ts";
import { openLedger } from "../../services/batch-runner/src/adapters/ledger.ts";
import { sourceQueries } from "../../services/batch-runner/src/adapters/source-queries.ts";
import { openErasures } from "../../services/batch-runner/src/erasing.ts";
import type { RunPorts } from "../../services/batch-runner/src/handlers/run-ports.ts";
import { noon } from "./definitions.ts";

/** A runner's ports against real servers, without its process. */
export interface Backends {
  portsOf(lake: string): RunPorts;
  close(): Promise<void>;
}

export interface BackendAddresses {
  readonly natsUrl: string;
  readonly databaseUrl: string;
  readonly spill: string;
}

export async function openBackends({ natsUrl, databaseUrl, spill }: BackendAddresses): Promise<Backends> {
  const connection = await openConnection({ url: natsUrl, name: "test-runner" });
  const publisher = createPublisher(connection, { stream: "TRIB_ROWS_BATCH" });
  const database = openDatabase(databaseUrl, () => undefined);
  const logger = createLogger({ name: "test", level: "silent" });
  const erasures = await openErasures(connection, { now: () => 0, logger });
  return {
    portsOf: (lake) => ({
      lake: openLake(lake),
      database,
      ledger: openLedger(database),
      publisher,
      queries: sourceQueries({ urls: { crm: databaseUrl }, timeoutMs: 10_000, rowsMax: 1_000_000 }),
      openEngine: () => openDuckDb({ memoryMb: 256, threads: 1, temporaryMb: 1_024, temporaryDirectory: spill }),
      now: () => noon,
      instance: "runner-1",
      logger,
      erasures,
      leaseMs: 10_000,
    }),
    close: async () => {
      await Promise.all([publisher.close(), erasures.close()]);
      await Promise.all([connection.close(), database.close()]);
    },
  };
}
