import { performance } from "node:perf_hooks";
import { applyCatalog } from "@tributary/cli/catalog/apply";
import type { CatalogBody } from "@tributary/shared/contracts/catalog";
import { compileDefinitions } from "@tributary/shared/definitions/compile";
import { openBucket } from "@tributary/shared/messaging/bucket";
import { openConnection } from "@tributary/shared/messaging/connection";
import * as definitions from "../examples/flights/definitions.ts";
import type { BenchContext } from "./benchmark.ts";
import { type Mesh, withMesh } from "./mesh.ts";
import { type Case, overFloor } from "./report.ts";
import { Samples } from "./samples.ts";

const repetitionsDefault = 20;

export async function run({ repetitions = repetitionsDefault, tell, note }: BenchContext): Promise<void> {
  note("starting servers and services …");
  await withMesh({}, async (mesh) => {
    const found = await measure(mesh, repetitions);
    const floor = caseOf("one KV write, seen by a watcher", found.floor);
    tell(floor);
    const everywhere = caseOf("swap until every process goes by it", found.everywhere);
    tell({ ...overFloor(everywhere, floor), counts: { processes: found.processes } });
    tell(overFloor(caseOf("apply as a whole, plan and history included", found.whole), floor));
  });
}

interface Found {
  readonly floor: Samples;
  readonly everywhere: Samples;
  readonly whole: Samples;
  readonly processes: number;
}

/** Floor and apply in turn. The first apply is left out: the services have never seen a catalog. */
async function measure(mesh: Mesh, repetitions: number): Promise<Found> {
  const urls = { natsUrl: mesh.servers.nats.url("admin"), databaseUrl: mesh.servers.postgres.url };
  const body = compileDefinitions(Object.values(definitions));
  const [floor, everywhere, whole] = [new Samples(), new Samples(), new Samples()];
  let processes = 0;
  const seen = await watchWrites(urls.natsUrl);
  await applyCatalog({ body, ...urls });
  for (let i = 0; i < repetitions; i++) {
    floor.add(await seen.write(i));
    const begun = performance.now();
    const report = await applyCatalog({ body: described(body, i), ...urls });
    whole.add(performance.now() - begun);
    if (report.everywhereMs === null) throw new Error("a process did not take the catalog up in time");
    everywhere.add(report.everywhereMs);
    processes = report.processes.length;
  }
  await seen.close();
  return { floor, everywhere, whole, processes };
}

/** Another catalog each time, of the same size. */
function described(body: CatalogBody, i: number): CatalogBody {
  const entities = Object.entries(body.entities).map(([name, entity]) => [name, { ...entity, description: `${i}` }]);
  return { ...body, entities: Object.fromEntries(entities) };
}

/** A writer and a watcher on connections of their own. */
async function watchWrites(natsUrl: string) {
  const [writing, watching] = await Promise.all(
    ["write", "watch"].map((name) => openConnection({ url: natsUrl, name: `bench-${name}` })),
  );
  if (writing === undefined || watching === undefined) throw new Error("no connection");
  let told = (_value: string) => {};
  const watch = await (await openBucket(watching, "TRIB_CATALOG")).watch("bench", ({ value }) =>
    told(new TextDecoder().decode(value)),
  );
  const bucket = await openBucket(writing, "TRIB_CATALOG");
  const write = async (i: number): Promise<number> => {
    const seen = new Promise<void>((resolve) => {
      told = (value) => value === String(i) && resolve();
    });
    const begun = performance.now();
    await Promise.all([bucket.put("bench", new TextEncoder().encode(String(i))), seen]);
    return performance.now() - begun;
  };
  const close = async () => {
    await watch.stop();
    await Promise.all([writing.close(), watching.close()]);
  };
  return { write, close };
}

function caseOf(name: string, samples: Samples): Case {
  return { bench: "catalog", case: name, unit: "ms", summary: samples.summary() };
}
