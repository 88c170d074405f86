import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decodePayload, encodePayload } from "@tributary/shared/codec/json-or-msgpack";
import type { ReadRequest } from "@tributary/shared/contracts/read";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ensureFeast, feastVersion } from "../../bench/peers/feast/feast-venv.ts";
import { featureRepoFiles } from "../../bench/peers/feast/feature-repo.ts";
import { fillBatches } from "../../bench/peers/feast/fill-batches.ts";
import { feastInJson } from "../../bench/peers/feast/json-readers.ts";
import { pressBeside } from "../../bench/peers/feast/press-beside.ts";
import type { ReadCase } from "../../bench/read-dataset.ts";
import { featureNames, grid, gridServices, viewNames } from "../../bench/read-grid.ts";
import { startDriver } from "../../bench/read-process.ts";
import { type Measures, tableReporter } from "../../bench/report.ts";

const number = expect.any(Number);

describe("a Feast feature repository", () => {
  const files = featureRepoFiles({
    entity: { name: "thing", key: "id" },
    views: viewNames(25),
    features: featureNames,
    services: gridServices,
    redis: { host: "127.0.0.1", port: 7001, password: "secret" },
  });
  const definitions = files["definitions.py"] ?? "";

  it("names its own Redis server", () => {
    expect(files["feature_store.yaml"]).toContain(`connection_string: "127.0.0.1:7001,password=secret"`);
  });

  it("has the views, features and feature services of the grid, each view under a name of its own", () => {
    const { catalog } = grid({ entities: 1, views: 25 });
    const views = [...definitions.matchAll(/^(\w+) = FeatureView\(name="(\w+)"/gm)].map(([, own, name]) => [own, name]);
    expect(views).toEqual(Object.keys(catalog.views).map((name) => [name, name]));
    expect(definitions).toContain('thing = Entity(name="thing", join_keys=["id"], value_type=ValueType.INT64)');
    expect(definitions).toContain(`for feature in ["id","${featureNames.join('","')}"]]`);
    for (const [name, service] of Object.entries(catalog.featureServices)) {
      const line = definitions.split("\n").find((one) => one.startsWith(`${name} = FeatureService(name="${name}"`));
      expect(line?.match(/view_\d+/g)).toHaveLength(Object.keys(service.columns).length / featureNames.length);
    }
  });
});

it("what Feast is filled with is what our records hold, in batches", () => {
  const { records } = grid({ entities: 5, views: 2 });
  const batches = [...fillBatches(records(), "id", 2)].map((line) => JSON.parse(line));
  expect(batches.map(({ key, ids }) => [key, ids])).toEqual([
    ["id", [0, 1]],
    ["id", [2, 3]],
    ["id", [4]],
  ]);
  const own = [...records()].map(
    ({ writes }) => writes[1]?.cells.find(({ feature }) => feature === "feature_9")?.value,
  );
  expect(batches.flatMap(({ views }) => views.view_1.feature_9)).toEqual(own);
  expect(Object.keys(batches[0].views.view_0)).toEqual(featureNames);
});

describe("beside a stub of Feast and of our store", () => {
  const names = viewNames(5).flatMap((view) => featureNames.map((feature) => [view, feature] as const));
  let isShort = false;
  let server: Server;
  let url = "";
  beforeAll(async () => {
    server = createServer((request, response) => {
      void bodyOf(request).then((body) => {
        const { encoding, value } = decodePayload(body);
        const answer = request.url === "/get-online-features" ? feastAnswer(value) : ownAnswer(value as ReadRequest);
        response.end(encodePayload(answer, encoding));
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  function feastAnswer(value: unknown) {
    const { entities } = value as { entities: { id: number[] } };
    const values = isShort ? entities.id.map(() => null) : entities.id;
    const columns = ["id", ...names.map(([view, feature]) => `${view}__${feature}`)];
    return { metadata: { feature_names: columns }, results: columns.map(() => ({ values })) };
  }

  function ownAnswer({ featureService, keys }: ReadRequest) {
    const values = keys.map(({ id }) => id);
    const columns = names.map(([view, feature]) => ({ name: `${view}_${feature}`, values }));
    return { featureService, catalogVersion: 1, epoch: "e", nowMs: 0, columns };
  }

  const one: ReadCase = {
    ...(grid({ entities: 10, views: 25 }).cases.find(({ name }) => name === "1x50") as ReadCase),
    workers: [8],
    perSecond: [50],
  };

  async function press(): Promise<Measures[]> {
    const drivers = {
      feast: startDriver({ kind: "feast", url }),
      ours: startDriver({ kind: "http", url }),
      oursInJson: startDriver({ kind: "json", url }),
    };
    try {
      const lines = pressBeside({ ...drivers, workers: 1 }, one, ({ service, rows }, load) => {
        return { service, pool: [rows(() => 0.5)], load, warmUpSeconds: 0.05, seconds: 0.2 };
      });
      const told = [];
      for await (const line of lines) told.push(line);
      return told;
    } finally {
      await Promise.all(Object.values(drivers).map((driver) => driver.stop()));
    }
  }

  it("a line has both sides of one load and their ratio, of throughput where it is closed, of latency where open", async () => {
    const lines = await press();
    const latencies = { p50Ms: number, p95Ms: number, p99Ms: number };
    const own = { transport: "http", rps: number, ...latencies, errors: 0 };
    const head = { bench: "feast", case: "1x50", transport: "http", workers: 1, rps: number, ...latencies };
    const sides = { ...head, ours: own, oursInJson: own, errors: 0 };
    expect(lines).toEqual([
      { ...sides, mode: "closed8", ratio: number, ratioInJson: number },
      { ...sides, mode: "open50", p50Ratio: number, p50RatioInJson: number },
    ]);
    const [closed] = lines as [Measures & { readonly ours: { readonly rps: number } }];
    expect(closed.ratio).toBeCloseTo(closed.ours.rps / Number(closed.rps));
    let table = "";
    const reporter = tableReporter((text) => {
      table += text;
    });
    for (const line of lines) reporter.tell(line);
    reporter.end();
    expect(table.split("\n")[0]).toMatch(/ours\.rps .* oursInJson\.rps .* ratio/);
  }, 60_000);

  it("an answer that lacks values is no result", async () => {
    isShort = true;
    const work = feastInJson(url).prepare(one.service, [one.rows(() => 0.5)]);
    await expect(work(0)).rejects.toThrow("grid_50: an answer of 50 features lacks values");
    isShort = false;
    expect(await work(0)).toBe(50);
  });
});

describe("a machine that cannot have Feast", () => {
  let folder = "";
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "tributary-feast-"));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  const ensure = (python: string) =>
    ensureFeast({
      note: () => undefined,
      signal: new AbortController().signal,
      folder: join(folder, "venv"),
      environment: { PATH: process.env.PATH, PYTHON: python },
    });

  it("is told to install Python where there is none", async () => {
    await expect(ensure(join(folder, "nothing"))).rejects.toMatchObject({
      name: "Refusal",
      exitCode: 1,
      message: expect.stringMatching(/^Feast needs Python 3\.10 or later .*python3-venv.*nothing/),
    });
  });

  it("is told what to try by hand where PyPI is not reached, with pip's last words", async () => {
    const python = join(folder, "python");
    const failing = `#!/bin/sh\\necho "No matching distribution" >&2\\nexit 1\\n`;
    await writeFile(
      python,
      `#!/bin/sh\nmkdir -p "$3/bin"\nprintf '${failing}' > "$3/bin/python"\nchmod 755 "$3/bin/python"\n`,
    );
    await chmod(python, 0o755);
    await expect(ensure(python)).rejects.toMatchObject({
      name: "Refusal",
      exitCode: 1,
      message: expect.stringMatching(
        new RegExp(
          `PyPI was not reached.*bin/pip install 'feast\\[redis\\]==${feastVersion}'[^]*No matching distribution`,
        ),
      ),
    });
  });
});

async function bodyOf(request: IncomingMessage): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of request) chunks.push(chunk as Uint8Array);
  return Buffer.concat(chunks);
}
