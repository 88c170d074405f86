import { acquireLease, type Lease } from "@tributary/shared/runtime/lease";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Ledger } from "../../services/batch-runner/src/adapters/ledger.ts";
import type { RunManifest } from "../../services/batch-runner/src/core/run-manifest.ts";
import { noon } from "./definitions.ts";
import { type Rig, startRig } from "./rig.ts";

const file = { path: "", rows: 0, bytes: 0, sha256: "" };
const counts = { rows: 1, inserted: 1, updated: 0, deleted: 0, unchanged: 0, suppressed: 0, published: 1 };

describe("the ledger", () => {
  let rig: Rig;
  beforeAll(async () => {
    rig = await startRig();
  });
  afterAll(() => rig.stop());

  async function open(view: string) {
    const { ports } = await rig.bench(view);
    const { ledger } = ports;
    const take = async (owner: string): Promise<Lease> => {
      await rig.expireLease(view);
      return (await acquireLease(ports.database.query, `batch:${view}`, owner, 10_000)) as Lease;
    };
    const begin = async (lease: Lease) =>
      ledger.begin(lease, {
        view,
        viewVersion: 1,
        catalogVersion: 1,
        intervalEndMs: noon,
        instance: "one",
        request: undefined,
      });
    return { ledger, take, begin, manifest: (run: number) => manifestOf(view, run) };
  }

  it("lets an owner whose lease was taken over write nothing", async () => {
    const { ledger, take, begin, manifest } = await open("fenced");
    const old = await take("one");
    const { run } = await begin(old);
    const fresh = await take("two");
    const fenced = { code: "FENCED" };
    await expect(begin(old)).rejects.toMatchObject(fenced);
    await expect(ledger.stage(old, manifest(run), undefined, counts)).rejects.toMatchObject(fenced);
    await expect(ledger.finish(old, run, counts)).rejects.toMatchObject(fenced);
    await ledger.stage(fresh, manifest(run), undefined, counts);
    await expect(ledger.commit(old, manifest(run))).rejects.toMatchObject(fenced);
    expect(await ledger.published("fenced")).toBeUndefined();
  });

  it("stages a run only if the snapshot it was compared with is still the published one", async () => {
    const { ledger, take, begin, manifest } = await open("compared");
    const lease = await take("one");
    await stageAndCommit(ledger, lease, manifest((await begin(lease)).run));
    const { run, published } = await begin(lease);
    await expect(ledger.stage(lease, manifest(run), undefined, counts)).rejects.toMatchObject({
      code: "RUN_CONFLICT",
      message: expect.stringContaining(`run ${published?.run} is the published one`),
    });
    await ledger.stage(lease, manifest(run), published?.run, counts);
  });

  it("stages one run of a view at a time", async () => {
    const { ledger, take, begin, manifest } = await open("one_staged");
    const lease = await take("one");
    const first = await begin(lease);
    await ledger.stage(lease, manifest(first.run), undefined, counts);
    const second = await begin(lease);
    await expect(ledger.stage(lease, manifest(second.run), undefined, counts)).rejects.toMatchObject({
      code: "RUN_CONFLICT",
      message: expect.stringContaining(`run ${first.run} is staged now`),
    });
    expect(await ledger.staged("one_staged")).toMatchObject({ run: first.run });
  });

  it("commits a staged run once, and closes those that stopped before their stage", async () => {
    const { ledger, take, begin, manifest } = await open("once");
    const lease = await take("one");
    const lost = await begin(lease);
    const { run } = await begin(lease);
    await ledger.stage(lease, manifest(run), undefined, counts);
    await ledger.commit(lease, manifest(run));
    await expect(ledger.commit(lease, manifest(run))).rejects.toMatchObject({ code: "RUN_CONFLICT" });
    expect((await ledger.recent("once", 5)).map((one) => [one.run, one.phase])).toEqual([
      [run, "published"],
      [lost.run, "failed"],
    ]);
    expect(run).toBeGreaterThan(lost.run);
    expect(await ledger.stagedViews()).not.toContain("once");
  });
});

async function stageAndCommit(ledger: Ledger, lease: Lease, manifest: RunManifest): Promise<void> {
  await ledger.stage(lease, manifest, undefined, counts);
  await ledger.commit(lease, manifest);
}

function manifestOf(view: string, run: number): RunManifest {
  return {
    format: 1,
    view,
    viewVersion: 1,
    catalogVersion: 1,
    run,
    intervalEndMs: noon,
    partitions: 8,
    features: [],
    snapshot: file,
    delta: file,
    confirm: [],
    confirmed: [],
  };
}
