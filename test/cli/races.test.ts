import { withDatabase } from "@tributary/cli/admin/database";
import { ensureEnvironment } from "@tributary/cli/admin/ensure";
import { bucketHistory } from "@tributary/cli/catalog/bucket-history";
import { databaseHistory } from "@tributary/cli/catalog/database-history";
import type { History } from "@tributary/cli/catalog/history";
import { type LiveCatalog, readLiveCatalog } from "@tributary/cli/catalog/live-catalog";
import { type Servers, startServers } from "@tributary/local/servers";
import { openBucket } from "@tributary/shared/messaging/bucket";
import { openConnection } from "@tributary/shared/messaging/connection";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { temporaryDirectory } from "../support/temporary-directory.ts";
import { type RaceResult, type Racer, startRacer } from "./racer.ts";

let directory: ReturnType<typeof temporaryDirectory>;
let servers: Servers;
let racers: readonly Racer[] = [];
beforeEach(async () => {
  directory = temporaryDirectory("races");
  servers = await startServers({ directory: directory.path, need: ["nats", "postgres"], fsync: false });
  await ensureEnvironment({ natsUrl: servers.nats.url("admin"), databaseUrl: servers.postgres.url });
  racers = await Promise.all([startRacer(), startRacer()]);
});
afterEach(async () => {
  await Promise.all(racers.map((racer) => racer.stop()));
  await servers?.stop();
  directory.remove();
});

interface Urls {
  readonly natsUrl: string;
  readonly databaseUrl?: string | undefined;
}

/** Both at once: held between plan and swap until both have planned, or just let loose. */
async function raceOnce(round: number, urls: Urls): Promise<readonly RaceResult[]> {
  const holdAfterPlan = round % 2 === 0;
  let planned = 0;
  const onPlanned = () => {
    planned += 1;
    if (planned === racers.length) for (const racer of racers) racer.go();
  };
  const orders = racers.map((_, i) => ({ view: `round${round}_${"ab"[i]}`, holdAfterPlan, ...urls }));
  return Promise.all(racers.map((racer, i) => racer.run(orders[i] as (typeof orders)[0], onPlanned)));
}

/** A loser plans again until it is in, as a person would. */
async function applyAgain(lost: RaceResult, urls: Urls): Promise<RaceResult> {
  for (;;) {
    const result = await (racers[0] as Racer).run({ view: lost.view, holdAfterPlan: false, ...urls });
    if (result.code !== "CATALOG_CONFLICT") return result;
  }
}

async function look<T>(urls: Urls, work: (history: History, live: LiveCatalog) => Promise<T>): Promise<T> {
  const connection = await openConnection({ url: urls.natsUrl, name: "test" });
  try {
    const bucket = await openBucket(connection, "TRIB_CATALOG");
    const live = await readLiveCatalog(bucket);
    const { databaseUrl } = urls;
    if (databaseUrl === undefined) return await work(bucketHistory(bucket, live), live);
    return await withDatabase(databaseUrl, (client) => work(databaseHistory(client, live.version), live));
  } finally {
    await connection.close();
  }
}

describe("two processes that apply at the same time", () => {
  it.each([
    ["with PostgreSQL", 50, true],
    ["in KV alone", 20, false],
  ])("never lose a change, and the loser is told to plan again: %s", async (_how, rounds, hasDatabase) => {
    const urls = { natsUrl: servers.nats.url("admin"), ...(hasDatabase && { databaseUrl: servers.postgres.url }) };
    const winners: RaceResult[] = [];
    for (let round = 0; round < rounds; round++) {
      const results = await raceOnce(round, urls);
      const won = results.filter(({ version }) => version !== undefined);
      const lost = results.filter(({ version }) => version === undefined);
      for (const one of lost)
        expect(one).toMatchObject({ code: "CATALOG_CONFLICT", message: expect.stringContaining("somebody else") });
      if (round % 2 === 0) expect(won).toHaveLength(1);
      expect(won.length).toBeGreaterThan(0);
      winners.push(...won);
      const views = await look(urls, async (_history, { body }) => Object.keys(body?.views ?? {}));
      expect(views).toEqual(expect.arrayContaining(winners.map(({ view }) => view)));
      for (const { view } of lost) expect(views).not.toContain(view);
      for (const one of lost) winners.push(await applyAgain(one, urls));
    }
    await look(urls, async (history, live) => {
      const newest = Math.max(...winners.map(({ version = 0 }) => version));
      expect(live.version).toBe(newest);
      expect(Object.keys(live.body?.views ?? {})).toHaveLength(3 + 2 * rounds);
      const list = await history.list(10_000);
      const counted = list.filter(({ state }) => state !== "neverCurrent").map(({ version }) => version);
      expect(counted).toEqual(winners.map(({ version }) => version).sort((a, b) => (b ?? 0) - (a ?? 0)));
    });
  });
});
