import { mkdir, writeFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startServers } from "@tributary/local/servers";
import type { BenchContext } from "../../benchmark.ts";
import { type Interruption, interruptible } from "../../interruption.ts";
import { type Mesh, withMesh } from "../../mesh.ts";
import type { Dataset, ReadCase } from "../../read-dataset.ts";
import { benchRedis, fillRecords } from "../../read-fill.ts";
import { featureNames, grid, gridServices, viewNames } from "../../read-grid.ts";
import { startDriver } from "../../read-process.ts";
import type { ReadJob } from "../../read-target.ts";
import { seededRandom } from "../../seeded-random.ts";
import { feastEnvironment, startFeast } from "./feast-server.ts";
import { ensureFeast, type FeastVenv } from "./feast-venv.ts";
import { featureRepoFiles } from "./feature-repo.ts";
import { fillBatches } from "./fill-batches.ts";
import { askInJson, type Column, feast, ours } from "./json-readers.ts";
import { pressBeside } from "./press-beside.ts";
import { runPython } from "./run-python.ts";

const store = "online-store";
const views = 25;
const entitiesDefault = { full: 10_000, quick: 200 };
const times = { full: { warmUpSeconds: 1, seconds: 4 }, quick: { warmUpSeconds: 0.1, seconds: 0.3 } };
const poolSize = 64;
const closedWorkers = [8, 32];
/** Rates of the open loop that Feast's server holds on a small machine: beyond it a queue would be measured, not a latency. */
const openRates: Readonly<Record<string, readonly number[]>> = { "1x50": [20], "100x50": [5] };
const rowsPerBatch = 1_000;
const comparedRows = 20;

export const caseNames = Object.keys(openRates);

/** The same data in two Redis servers, the same reads of both in turn. @throws Refusal when Feast cannot be had, or on Ctrl-C */
export async function run(context: BenchContext): Promise<void> {
  const entities = context.entities ?? entitiesDefault[context.quick ? "quick" : "full"];
  const dataset = grid({ entities, views });
  await interruptible(async (interruption) => {
    const venv = await ensureFeast({ note: context.note, signal: interruption.signal });
    context.note("feast: starting servers and the store …");
    const options = { need: ["nats", "redis"], services: [store], catalog: dataset.catalog } as const;
    await withMesh(options, async (mesh) => {
      interruption.signal.throwIfAborted();
      await measure({ mesh, venv, dataset, context, interruption });
    });
  });
}

interface Bench {
  readonly mesh: Mesh;
  readonly venv: FeastVenv;
  readonly dataset: Dataset;
  readonly context: BenchContext;
  readonly interruption: Interruption;
}

async function measure(bench: Bench): Promise<void> {
  const { mesh, venv, dataset, context, interruption } = bench;
  const servers = await startServers({ directory: join(mesh.servers.directory, "feast"), need: ["redis"] });
  try {
    const versions = { ...venv.versions, redisServer: servers.versions.redis ?? "", node: process.versions.node };
    context.tell({ bench: "feast", case: "versions", ...versions, cores: availableParallelism() });
    await fillOurs(mesh, dataset);
    const repository = await fillFeast(bench, servers);
    for (const workers of context.quick ? [1] : new Set([1, availableParallelism()])) {
      context.note(`feast: serving with ${workers} worker${workers > 1 ? "s" : ""} …`);
      const command = venv.program("feast");
      const { directory } = servers;
      const server = await startFeast({ feast: command, repository, workers, directory, signal: interruption.signal });
      try {
        await press(bench, server.url, workers);
      } finally {
        await server.stop();
      }
    }
  } finally {
    await servers.stop();
  }
}

async function fillOurs(mesh: Mesh, dataset: Dataset): Promise<void> {
  const redis = await benchRedis(mesh.servers.redis.url);
  try {
    await fillRecords(redis, dataset);
  } finally {
    redis.disconnect();
  }
}

/** Applies a feature repository and writes the dataset through Feast; the repository's path. */
async function fillFeast(
  { venv, dataset, context, interruption }: Bench,
  { directory, redis }: Awaited<ReturnType<typeof startServers>>,
): Promise<string> {
  const repository = join(directory, "repository");
  await mkdir(repository);
  const { hostname: host, port, password } = new URL(redis.url);
  const files = featureRepoFiles({
    entity: { name: "thing", key: "id" },
    views: viewNames(views),
    features: featureNames,
    services: gridServices,
    redis: { host, port: Number(port), password: decodeURIComponent(password) },
  });
  for (const [name, text] of Object.entries(files)) await writeFile(join(repository, name), text, { mode: 0o600 });
  const call = { environment: feastEnvironment(directory), workingDirectory: repository, signal: interruption.signal };
  context.note("feast: applying the feature repository …");
  await runPython({ ...call, program: venv.program("feast"), args: ["apply", "--skip-source-validation"] });
  await runPython({
    ...call,
    program: venv.program("python"),
    args: [fileURLToPath(new URL("./fill.py", import.meta.url)), repository],
    input: fillBatches(dataset.records(), "id", rowsPerBatch),
    onLine: (line) => context.note(`feast: ${line} entities written`),
  });
  return repository;
}

async function press({ mesh, dataset, context, interruption }: Bench, url: string, workers: number): Promise<void> {
  const wanted = context.cases ?? caseNames;
  const cases = dataset.cases.filter(({ name }) => wanted.includes(name));
  const oursUrl = mesh.services.httpUrl(store);
  const drivers = {
    feast: startDriver({ kind: "feast", url }),
    ours: startDriver({ kind: "http", url: oursUrl }),
    oursInJson: startDriver({ kind: "json", url: oursUrl }),
  };
  try {
    for (const one of cases) {
      await interruption.orInterrupted(mustAgree(one, url, oursUrl));
      const pressed = { ...one, workers: closedWorkers, perSecond: openRates[one.name] ?? [] };
      const lines = pressBeside({ ...drivers, workers }, pressed, (job, load) => jobOf(job, load, context));
      await interruption.orInterrupted(tellAll(lines, context));
    }
  } finally {
    await Promise.all(Object.values(drivers).map((driver) => driver.stop()));
  }
}

async function tellAll(lines: ReturnType<typeof pressBeside>, { tell }: BenchContext): Promise<void> {
  for await (const line of lines) tell(line);
}

/** Two systems are compared only where they give the same answers. */
async function mustAgree({ service, rows }: ReadCase, feastUrl: string, oursUrl: string): Promise<void> {
  const asked = rows(seededRandom(5)).slice(0, comparedRows);
  const ask = async (url: string, dialect: typeof feast) =>
    valuesByName(await askInJson(url, dialect, JSON.stringify(dialect.body(service, asked))));
  const [theirs, own] = [await ask(feastUrl, feast), await ask(oursUrl, ours)];
  if (theirs !== own) throw new Error(`Feast and we give different values for ${service}`);
}

function valuesByName(columns: readonly Column[]): string {
  return JSON.stringify(columns.map(({ name, values }) => [name, values]).sort());
}

function jobOf({ service, rows }: ReadCase, load: ReadJob["load"], { quick }: BenchContext): ReadJob {
  const random = seededRandom(3);
  const pool = Array.from({ length: poolSize }, () => rows(random));
  return { service, pool, load, ...times[quick ? "quick" : "full"] };
}
