import { withDatabase } from "@tributary/cli/admin/database";
import { ensureEnvironment } from "@tributary/cli/admin/ensure";
import { applyCatalog } from "@tributary/cli/catalog/apply";
import { bucketHistory } from "@tributary/cli/catalog/bucket-history";
import { databaseHistory } from "@tributary/cli/catalog/database-history";
import { readLiveCatalog } from "@tributary/cli/catalog/live-catalog";
import { recordVersion } from "@tributary/cli/catalog/record-version";
import { type Servers, startServers } from "@tributary/local/servers";
import type { CatalogBody } from "@tributary/shared/contracts/catalog";
import { compileDefinitions } from "@tributary/shared/definitions/compile";
import { openBucket } from "@tributary/shared/messaging/bucket";
import { openConnection } from "@tributary/shared/messaging/connection";
import { versionKey, watchCatalog } from "@tributary/shared/runtime/catalog-client";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { temporaryDirectory } from "../support/temporary-directory.ts";
import * as definitions from "./features.ts";

const directory = temporaryDirectory("catalog");
const body = compileDefinitions(Object.values(definitions));
let servers: Servers;
let urls: { natsUrl: string; databaseUrl: string };

beforeAll(async () => {
  servers = await startServers({ directory: directory.path, need: ["nats", "postgres"], fsync: false });
  urls = { natsUrl: servers.nats.url("admin"), databaseUrl: servers.postgres.url };
});
afterAll(async () => {
  await servers?.stop();
  directory.remove();
});

const described = (description: string): CatalogBody => {
  const boarding = body.featureServices.boarding;
  if (!boarding) throw new Error("no boarding");
  return { ...body, featureServices: { boarding: { ...boarding, description } } };
};

describe("ensure", () => {
  it("names what is missing when a catalog is applied to an environment that was never ensured", async () => {
    await expect(applyCatalog({ body, ...urls })).rejects.toMatchObject({ code: "MISSING_RESOURCE" });
  });

  it("creates everything once, also when two run at the same time", async () => {
    const reports = await Promise.all([ensureEnvironment(urls), ensureEnvironment(urls)]);
    const applied = reports.flatMap((report) => report.database?.applied ?? []);
    expect(new Set(applied).size).toBe(applied.length);
    expect(applied).toContain("0001_catalog_and_leases.sql");
    const again = await ensureEnvironment(urls);
    expect(again.database?.applied).toEqual([]);
    expect(again.nats?.resources.map(({ result }) => result)).not.toContain("created");
  });
});

describe("apply", () => {
  it("makes a version current, and does nothing for the same definitions", async () => {
    expect(await applyCatalog({ body, ...urls })).toMatchObject({ version: 1, changed: true });
    expect(await applyCatalog({ body, ...urls })).toMatchObject({ version: 1, changed: false });
    expect(await applyCatalog({ body: described("a"), ...urls })).toMatchObject({ version: 2, changed: true });
  });

  it("tells the loser of a race, keeps what the winner did, and lets the loser apply again", async () => {
    const before = await current();
    const bodies = Array.from({ length: 4 }, (_, i) => described(`race ${i}`));
    const onPlan = barrier(bodies.length);
    const results = await Promise.allSettled(bodies.map((one) => applyCatalog({ body: one, ...urls, onPlan })));
    const won = results.filter((result) => result.status === "fulfilled");
    const lost = results.filter((result) => result.status === "rejected");
    expect(won).toHaveLength(1);
    for (const { reason } of lost) expect(reason).toMatchObject({ code: "CATALOG_CONFLICT" });
    const after = await current();
    expect(after.version).toBe(won[0]?.value.version);
    expect(after.version).toBeGreaterThan(before.version);
    expect(await applyCatalog({ body: described("later"), ...urls })).toMatchObject({ changed: true });
    expect(await current()).toMatchObject({ featureServices: { boarding: { description: "later" } } });
  });

  it("asks for a higher view version where stored values would change their meaning", async () => {
    const congestion = body.views.congestion;
    if (congestion?.lane !== "direct") throw new Error("no congestion");
    const features = congestion.features.map((one) =>
      one.name === "score" ? { ...one, type: "int64" as const } : one,
    );
    const changed = (version: number): CatalogBody => ({
      ...body,
      views: { congestion: { ...congestion, features, version } },
    });
    await expect(applyCatalog({ body: changed(1), ...urls })).rejects.toMatchObject({
      code: "INVALID_DEFINITION",
      message: expect.stringMatching(
        /feature "congestion.score" changes its type: raise the version of view "congestion" above 1/,
      ),
    });
    expect(await applyCatalog({ body: changed(2), ...urls })).toMatchObject({ changed: true });
    await expect(applyCatalog({ body, ...urls })).rejects.toMatchObject({ code: "INVALID_DEFINITION" });
  });

  it("never changes an entity's keys or the partitions", async () => {
    const airport = body.entities.airport;
    if (!airport) throw new Error("no airport");
    const entities = { airport: { ...airport, keys: [{ name: "code", type: "int64" as const }] } };
    const problem = applyCatalog({ body: { ...body, entities, partitions: 16 }, ...urls });
    await expect(problem).rejects.toMatchObject({
      code: "INVALID_DEFINITION",
      message: expect.stringMatching(/partitions[\s\S]*entity "airport"/),
    });
  });
});

describe("an apply that ends half-way", () => {
  beforeAll(() => applyCatalog({ body, ...urls, allowDestroy: true }));
  const listed = async () => {
    const { version } = await current();
    return withDatabase(urls.databaseUrl, (client) => databaseHistory(client, version).list(3));
  };

  it("leaves a version that never counts when it ends before the swap, and its number is not used again", async () => {
    const before = await current();
    const orphan = await withDatabase(urls.databaseUrl, (client) =>
      recordVersion(client, {
        body: described("orphan"),
        fingerprint: "x",
        author: "nobody",
        message: "",
        diff: [],
        follows: before.version,
      }),
    );
    expect((await listed())[0]).toMatchObject({ version: orphan, state: "neverCurrent", author: "nobody" });
    expect((await current()).version).toBe(before.version);
    const { version } = await applyCatalog({ body: described("after an orphan"), ...urls });
    expect(version).toBe(orphan + 1);
    const states = (await listed()).map(({ version, state }) => [version, state]);
    expect(states).toEqual([
      [version, "current"],
      [orphan, "neverCurrent"],
      [before.version, "earlier"],
    ]);
  });

  it("is marked by the next apply when it ends right after the swap", async () => {
    const { version } = await current();
    await withDatabase(urls.databaseUrl, (client) =>
      client.query("update catalog_versions set current_since = null where version = $1", [version]),
    );
    expect((await listed())[0]).toMatchObject({ version, state: "current" });
    await applyCatalog({ body: described("the next one"), ...urls });
    expect((await listed())[1]).toMatchObject({ version, state: "earlier" });
  });

  it("has its number told apart in KV too, where the way back passes it by", async () => {
    const connection = await openConnection({ url: urls.natsUrl, name: "test" });
    const bucket = await openBucket(connection, "TRIB_CATALOG");
    const live = await readLiveCatalog(bucket);
    const orphan = { ...live.body, version: live.version + 1, follows: live.version };
    await bucket.create(versionKey(live.version + 1), Buffer.from(JSON.stringify(orphan)));
    const { version } = await applyCatalog({ body: described("in KV alone"), natsUrl: urls.natsUrl });
    expect(version).toBe(live.version + 2);
    const list = await bucketHistory(bucket, await readLiveCatalog(bucket)).list(3);
    expect(list.map(({ state }) => state)).toEqual(["current", "neverCurrent", "earlier"]);
    await connection.close();
  });
});

/** Everybody plans before anybody goes on. */
function barrier(count: number): () => Promise<void> {
  let waiting = 0;
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return () => {
    waiting += 1;
    if (waiting === count) open();
    return opened;
  };
}

async function current() {
  const connection = await openConnection({ url: urls.natsUrl, name: "test" });
  const view = await watchCatalog(await openBucket(connection, "TRIB_CATALOG"));
  const catalog = view.current;
  await view.stop();
  await connection.close();
  if (!catalog) throw new Error("no catalog");
  return catalog;
}
