import { applyCatalog } from "@tributary/cli/catalog/apply";
import { describeEverywhere } from "@tributary/cli/catalog/everywhere";
import type { CatalogBody } from "@tributary/shared/contracts/catalog";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Mesh, startMesh } from "../support/mesh.ts";
import { firstBody } from "./catalog-bodies.ts";
import { folderFor } from "./environment-file.ts";
import { runCli } from "./run-cli.ts";

const services = ["batch-runner", "stream-processor", "direct-gateway", "online-store", "online-store-2"];
let mesh: Mesh;
let urls: { natsUrl: string; databaseUrl: string };
beforeAll(async () => {
  mesh = await startMesh({ services });
  urls = { natsUrl: mesh.servers.nats.url("admin"), databaseUrl: mesh.servers.postgres.url };
});
afterAll(() => mesh?.stop());
beforeEach(() => mesh.printLogsOnFailure());

const described = (description: string): CatalogBody => {
  const airport = firstBody.entities.airport;
  if (!airport) throw new Error("no airport");
  return { ...firstBody, entities: { airport: { ...airport, description } } };
};
const instances = ["batch-runner-1", "direct-gateway-1", "online-store-1", "online-store-2", "stream-processor-1"];

describe("an apply", () => {
  it("waits until every process goes by the version, and says how long that took", async () => {
    for (const text of ["a", "b", "c"]) {
      const { version, processes, lagging, everywhereMs } = await applyCatalog({ body: described(text), ...urls });
      expect(processes.map(({ instance }) => instance).sort()).toEqual(instances);
      expect(new Set(processes.map((one) => one.version))).toEqual(new Set([version]));
      expect({ lagging, isTimed: everywhereMs !== null && everywhereMs > 0 }).toEqual({ lagging: [], isTimed: true });
    }
  });

  it("asks nobody when it is told not to", async () => {
    const report = await applyCatalog({ body: described("d"), ...urls, waitMs: 0 });
    expect(report).toMatchObject({ changed: true, processes: [], lagging: [], everywhereMs: null });
    expect(describeEverywhere(report)).toBeUndefined();
  });

  it("names a process that falls silent beside a living one of its service, and waits no longer than it may", async () => {
    const onPlan = () => mesh.services.pause("online-store-2");
    const report = await applyCatalog({ body: described("e"), ...urls, waitMs: 3_000, onPlan });
    mesh.services.resume("online-store-2");
    expect(report).toMatchObject({ changed: true, everywhereMs: null });
    expect(report.processes.map(({ instance }) => instance).sort()).toEqual(instances);
    expect(report.lagging).toMatchObject([{ service: "online-store", instance: "online-store-2", version: null }]);
    expect(describeEverywhere(report)).toContain("online-store-2 does not answer");
  });

  it("does not wait for a process that has ended", async () => {
    const report = await applyCatalog({
      body: described("f"),
      ...urls,
      onPlan: () => mesh.services.kill("batch-runner"),
    });
    expect(report.lagging).toEqual([]);
    expect(report.everywhereMs).not.toBeNull();
  });

  it("is done, and tells who lags, when a process was frozen before: by the command, with exit code 0", async () => {
    const folder = folderFor(mesh.servers, { postgres: true });
    const cli = (...args: string[]) => runCli(args, { directory: folder.path });
    const [{ version }] = [await applyCatalog({ body: described("g"), ...urls })];
    mesh.services.pause("stream-processor");
    const restored = await cli("catalog", "restore", "1");
    mesh.services.resume("stream-processor");
    expect(restored).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(
        /restored as catalog version \d+\nnot everywhere yet: stream-processor does not answer/,
      ),
    });
    const json = (await cli("catalog", "restore", String(version), "--json")).json();
    expect(json).toMatchObject({
      ok: true,
      data: {
        processes: expect.arrayContaining([
          { service: "online-store", id: expect.any(String), instance: "online-store-1", version: version + 2 },
        ]),
      },
    });
    expect((json as { data: { processes: unknown[] } }).data.processes).toHaveLength(5);
    folder.remove();
  });

  it("can be looked up later: status tells each instance's catalog", async () => {
    const folder = folderFor(mesh.servers, { postgres: true });
    const { json } = await runCli(["status", "--json"], { directory: folder.path });
    const { data } = json() as { data: { services: { instances: { instance: string; catalogVersion: number }[] }[] } };
    const told = data.services.flatMap((service) => service.instances);
    expect(told.map(({ instance }) => instance).sort()).toEqual(instances);
    expect(new Set(told.map(({ catalogVersion }) => catalogVersion)).size).toBe(1);
    folder.remove();
  });
});
