import type { ReadCase } from "../../read-dataset.ts";
import type { Driver } from "../../read-process.ts";
import type { ReadJob, ReadResult } from "../../read-target.ts";
import type { Measures } from "../../report.ts";

/** Who is pressed, in turn: Feast's server, our store through our client over HTTP, and our store in plain JSON. */
export interface Pressed {
  readonly feast: Driver;
  /** Of Feast's server. */
  readonly workers: number;
  readonly ours: Driver;
  readonly oursInJson: Driver;
}

export type JobOf = (one: ReadCase, load: ReadJob["load"]) => ReadJob;

/** Each load on all three, one directly after the other, so that whatever else the machine does falls on all alike. */
export async function* pressBeside(pressed: Pressed, one: ReadCase, jobOf: JobOf): AsyncGenerator<Measures> {
  for (const workers of one.workers) {
    const results = await pressAll(pressed, jobOf(one, { kind: "closed", workers }));
    yield closedLine({ ...lineHead(one, `closed${workers}`, pressed), results });
  }
  for (const perSecond of one.perSecond) {
    const results = await pressAll(pressed, jobOf(one, { kind: "open", perSecond }));
    yield openLine({ ...lineHead(one, `open${perSecond}`, pressed), results });
  }
}

interface Results {
  readonly feast: ReadResult;
  readonly ours: ReadResult;
  readonly oursInJson: ReadResult;
}

async function pressAll({ feast, ours, oursInJson }: Pressed, job: ReadJob): Promise<Results> {
  return { ours: await ours.run(job), oursInJson: await oursInJson.run(job), feast: await feast.run(job) };
}

function lineHead({ name }: ReadCase, mode: string, { workers }: Pressed) {
  return { bench: "feast", case: name, transport: "http", mode, workers };
}

type Line = ReturnType<typeof lineHead> & { readonly results: Results };

/** As many of our reads as go into one of Feast's: by throughput. */
function closedLine({ results, ...head }: Line): Measures {
  const { feast, ours, oursInJson } = results;
  const ratios = { ratio: ours.perSecond / feast.perSecond, ratioInJson: oursInJson.perSecond / feast.perSecond };
  return { ...head, ...told(feast), ...oursOf(results), ...ratios, errors: feast.errors };
}

/** At one rate throughput is the same by design, so latency is compared: Feast's over ours. */
function openLine({ results, ...head }: Line): Measures {
  const { feast, ours, oursInJson } = results;
  const ratios = { p50Ratio: feast.p50 / ours.p50, p50RatioInJson: feast.p50 / oursInJson.p50 };
  return { ...head, ...told(feast), ...oursOf(results), ...ratios, errors: feast.errors };
}

function oursOf({ ours, oursInJson }: Results) {
  return {
    ours: { transport: "http", ...told(ours), errors: ours.errors },
    oursInJson: { transport: "http", ...told(oursInJson), errors: oursInJson.errors },
  };
}

function told({ perSecond, p50, p95, p99 }: ReadResult) {
  return { rps: perSecond, p50Ms: p50, p95Ms: p95, p99Ms: p99 };
}
