import { ensureEnvironment } from "@tributary/cli/admin/ensure";
import { applyCatalog } from "@tributary/cli/catalog/apply";
import { connectTributary, type Tributary } from "@tributary/client/connect";
import { type Servers, startServers } from "@tributary/local/servers";
import { type Services, startServices } from "@tributary/local/supervisor";
import { aggregateView } from "@tributary/shared/definitions/aggregate-view";
import { count, mean } from "@tributary/shared/definitions/aggregation";
import { compileDefinitions } from "@tributary/shared/definitions/compile";
import { entity } from "@tributary/shared/definitions/entity";
import { featureService } from "@tributary/shared/definitions/feature-service";
import { float64, string, timestamp } from "@tributary/shared/definitions/feature-type";
import { eventSource, tableSource } from "@tributary/shared/definitions/source";
import { openBucket } from "@tributary/shared/messaging/bucket";
import { openConnection } from "@tributary/shared/messaging/connection";
import { setClock } from "@tributary/shared/runtime/clock-client";
import pg from "pg";
import { afterAll, beforeAll, expect, it } from "vitest";
import { temporaryDirectory } from "../support/temporary-directory.ts";
import { until } from "../support/until.ts";

const fields = { origin: string(), delay: float64({ nullable: true }), at: timestamp() };
const query = "select origin, delay, left_at as at from departures where not cancelled";
const delays = aggregateView("airport_delays", {
  entity: entity("airport", { key: { code: string() } }),
  from: eventSource("departures", { fields, eventTime: "at", disorder: "4h" }),
  history: tableSource("past_departures", { format: "postgres", connection: "ops", query, fields }),
  keys: { code: "origin" },
  where: "delay > -60",
  windows: ["1h", "1d"],
  freshness: "1h",
  features: { departures: count(), delayMean: mean("delay") },
});
const tower = featureService("tower", [delays]);
const noon = Date.parse("2026-03-01T12:00:00Z");

const directory = temporaryDirectory("history");
let servers: Servers;
let services: Services;
let sql: pg.Pool;
let tributary: Tributary;
beforeAll(async () => {
  servers = await startServers({ directory: directory.path, fsync: false });
  const urls = { natsUrl: servers.nats.url("admin"), databaseUrl: servers.postgres.url };
  await ensureEnvironment(urls);
  sql = new pg.Pool({ connectionString: servers.postgres.url });
  await sql.query("create table departures (origin text, delay real, left_at timestamptz, cancelled bool)");
  await sql.query(`insert into departures values ('ORD', 10, '2026-03-01 11:30Z', false), ('ORD', 20, '2026-03-01 06:00Z', false),
    ('ORD', 99, '2026-03-01 11:45Z', true), ('ORD', -90, '2026-03-01 11:45Z', false), ('LAX', null, '2026-03-01 11:45Z', false)`);
  await setTime(noon);
  // As whoever runs `npm start` or `tributary dev` gives it.
  process.env.SOURCE_OPS_URL = servers.postgres.url;
  services = await startServices({
    servers,
    names: ["batch-runner", "online-store"],
    environment: { BATCH_RETRY_MS: "200" },
  });
  await applyCatalog({ body: compileDefinitions([tower]), ...urls });
  tributary = await connectTributary({ natsUrl: servers.nats.url("client") });
});
afterAll(async () => {
  delete process.env.SOURCE_OPS_URL;
  await tributary?.close();
  await services?.stop();
  await sql?.end();
  await servers?.stop();
  directory.remove();
});

async function setTime(simulatedMs: number): Promise<void> {
  const admin = await openConnection({ url: servers.nats.url("admin"), name: "test" });
  await setClock(await openBucket(admin, "TRIB_CLOCK"), { simulatedMs, realMs: Date.now(), rate: 0 });
  await admin.close();
}

it("serves windows that the planner gave to batch, computed from a query on the clock, as the query changes", async () => {
  const read = (departures: number) =>
    until(async () => {
      const rows = await tributary.read(tower, [{ code: "ORD" }, { code: "LAX" }]);
      return rows[0]?.departures_1d === departures && rows;
    });
  const empty = { departures_1h: null, departures_1d: null, delayMean_1h: null, delayMean_1d: null };
  expect(await read(2)).toEqual([{ departures_1h: 1, departures_1d: 2, delayMean_1h: 10, delayMean_1d: 15 }, empty]);
  await sql.query("insert into departures values ('ORD', 30, '2026-03-01 12:10Z', false)");
  await setTime(noon + 30 * 60_000);
  expect(await read(3)).toEqual([{ departures_1h: 2, departures_1d: 3, delayMean_1h: 20, delayMean_1d: 20 }, empty]);
});
