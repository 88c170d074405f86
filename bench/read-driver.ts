import { connectTributary } from "@tributary/client/connect";
import { connectOverHttp } from "@tributary/client/connect-over-http";
import type { Tributary } from "@tributary/client/tributary";
import { closedLoop, type LoadResult, openLoop, type Work } from "./load.ts";
import { feastInJson, oursInJson } from "./peers/feast/json-readers.ts";
import { floorReader } from "./read-floor.ts";
import type { Reader, ReadJob, ReadResult, Target } from "./read-target.ts";

/** A process of its own, as an application is one: takes jobs from its parent, one after the other. */
const requestsMax = 1_000_000;
const inFlightMax = 1_000;
const warmUpWorkers = 8;
const warmUpSecondsMax = 30;

/** Nobody wants its results any more. */
process.once("disconnect", () => process.exit());
const reader = await open(JSON.parse(process.argv[2] ?? "") as Target);
process.on("message", (job: ReadJob) => void perform(reader, job).then(tell, fail));

function tell(result: ReadResult): void {
  process.send?.(result, (error: Error | null) => error !== null && process.exit());
}

function fail(error: unknown): void {
  process.stderr.write(`${String(error)}\n`);
  process.exit(1);
}

async function open(target: Target): Promise<Reader> {
  switch (target.kind) {
    case "nats":
      return clientReader(await connectTributary({ natsUrl: target.url, name: "bench" }));
    case "http":
      return clientReader(connectOverHttp({ storeUrl: target.url }));
    case "json":
      return oursInJson(target.url);
    case "feast":
      return feastInJson(target.url);
    case "floor":
      return floorReader(target.url, target.catalog);
    default:
      return target satisfies never;
  }
}

/** A reply that lacks rows is an error: a fast wrong answer is no result. */
function clientReader(client: Tributary): Reader {
  return {
    prepare: (service, pool) => async (request) => {
      const keys = pool[request % pool.length] ?? [];
      const rows = await client.read(service, keys);
      if (rows.length !== keys.length) throw new Error(`${rows.length} rows for ${keys.length} keys`);
      return rows.length * Object.keys(rows[0] ?? {}).length;
    },
    close: () => client.close(),
  };
}

async function perform(from: Reader, job: ReadJob): Promise<ReadResult> {
  const work = from.prepare(job.service, job.pool);
  const values = await work(0);
  if (!(Number(values) > 0)) throw new Error(`a read of ${job.service} gave no values`);
  const warmedUp = await warmUp(job, work);
  const before = process.cpuUsage();
  const { latencies, done, failed, seconds } = await press(job, work);
  const { user, system } = process.cpuUsage(before);
  const { p50, p95, p99 } = latencies.summary();
  const cpuMs = (user + system) / 1_000 / done;
  return { perSecond: done / seconds, p50, p95, p99, errors: failed, answered: 1 + warmedUp + done, cpuMs };
}

/** How many reads it took. */
async function warmUp({ warmUpSeconds, warmUpReads = 1 }: ReadJob, work: Work): Promise<number> {
  const load = { workers: warmUpWorkers, requests: requestsMax };
  const { done } = await closedLoop({ ...load, seconds: warmUpSeconds }, work);
  if (done >= warmUpReads) return done;
  const more = await closedLoop({ ...load, requests: warmUpReads - done, seconds: warmUpSecondsMax }, work);
  return done + more.done;
}

function press({ load, seconds }: ReadJob, work: Work): Promise<LoadResult> {
  if (load.kind === "closed") return closedLoop({ workers: load.workers, requests: requestsMax, seconds }, work);
  const { perSecond } = load;
  return openLoop({ perSecond, requests: Math.ceil(perSecond * seconds), inFlightMax }, work);
}
