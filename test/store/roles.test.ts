import { rolesChecks } from "@tributary/cli/doctor/service-checks";
import { readRoster } from "@tributary/cli/roster";
import type { WriteToken } from "@tributary/shared/contracts/write";
import type { Connection } from "@tributary/shared/messaging/contract";
import { requestMany } from "@tributary/shared/messaging/request-many";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { until } from "../support/until.ts";
import { chunkOf, confirmationOf, type StoreRig, startStoreRig } from "./store-rig.ts";

const [writer, reader] = ["online-store", "online-store-2"] as const;
let rig: StoreRig;
beforeAll(async () => {
  const environments = { [writer]: { STORE_ROLE: "writes" }, [reader]: { STORE_ROLE: "reads" } };
  rig = await startStoreRig({ services: [writer, reader], environments });
});
afterAll(() => rig?.stop());
beforeEach(() => rig.printLogsOnFailure());

const started = Date.now() - 1_000_000;

/** A write of ORD's score: later rounds have later event times and greater scores. */
const write = (round: number) =>
  rig.publish(
    chunkOf("congestion", [
      { key: "ORD", eventTime: started + round, features: { score: Math.max(0, round) / 1_000 } },
    ]),
  );

async function readOrd(after?: WriteToken) {
  const keys = [{ code: "ORD" }];
  const asked = { featureService: "tower", keys, features: ["score"], detail: true, ...(after && { after: [after] }) };
  const { epoch, columns } = await rig.read(asked);
  const [column] = columns;
  return { epoch, score: column?.values[0], ageMs: column?.agesMs?.[0] };
}

interface Stats {
  readonly metadata: { readonly instance: string; readonly role: string };
  readonly endpoints: readonly { readonly name: string; readonly data?: { readonly freshness?: unknown[] } }[];
}

async function statsOf(connection: Connection): Promise<ReadonlyMap<string, Stats>> {
  const answers = (await requestMany(connection, "$SRV.STATS.online-store", { waitMs: 2_000, quietMs: 200 })) ?? [];
  const stats = answers.map((answer) => JSON.parse(new TextDecoder().decode(answer)) as Stats);
  return new Map(stats.map((one) => [one.metadata.role, one]));
}

const metricOf = async (instance: string, name: string) => {
  const text = await (await fetch(`${rig.services.httpUrl(instance)}/metrics`)).text();
  const lines = text.split("\n").filter((line) => line.startsWith(name));
  return lines.reduce((sum, line) => sum + Number(line.split(" ").at(-1)), 0);
};

describe("a store that only writes and one that only reads", () => {
  it("share the work: the one applies, the other answers, and each says what it does", async () => {
    // So many that both would get some.
    for (let round = -199; round <= 0; round++) await write(round);
    await write(1);
    await rig.settled();
    expect((await readOrd()).score).toBe(0.001);
    expect(await metricOf(writer, "tributary_store_rows_total")).toBe(201);
    expect(await metricOf(reader, "tributary_store_rows_total")).toBe(0);
    expect(await metricOf(writer, "tributary_store_reads_total")).toBe(0);
    expect(await metricOf(reader, "tributary_store_reads_total")).toBeGreaterThan(0);

    const stats = await statsOf(rig.admin);
    const names = (role: string) => stats.get(role)?.endpoints.map((endpoint) => endpoint.name);
    expect(names("writes")).toEqual(["store-status", "verify-erasure"]);
    expect(names("reads")).toEqual(["read-features", "verify-erasure"]);
    const { processes } = await readRoster(rig.admin);
    expect(rolesChecks(processes)).toMatchObject([{ state: "ok" }]);

    // Ages are counted where it is read, times to readable where it is written.
    for (const role of ["writes", "reads"])
      expect(stats.get(role)?.endpoints.flatMap(({ data }) => data?.freshness ?? [])).not.toEqual([]);
  });

  it("the reader knows what counts: a confirmation, and a write that a token names", async () => {
    await rig.publish(confirmationOf("congestion", "ORD", Date.now()));
    await until(async () => Number((await readOrd()).ageMs) < 60_000, { what: "the confirmation counts" });
    const incarnation = (await rig.status()).lanes.find(({ lane }) => lane === "direct")?.incarnation ?? 0;
    for (let round = 2; round < 12; round++) {
      const { sequence } = await write(round);
      const eventTime = started + round;
      const token = { view: "congestion", key: "ORD", features: ["score"], eventTime, incarnation, sequence, row: 0 };
      expect((await readOrd(token)).score, `round ${round}`).toBe(round / 1_000);
    }
  });

  it("over HTTP the writer says that it answers no reads, and which setting says so", async () => {
    const response = await fetch(`${rig.services.httpUrl(writer)}/v1/features/read`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ featureService: "tower", keys: [{ code: "ORD" }] }),
    });
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({
      error: { code: "UNAVAILABLE", message: expect.stringContaining("STORE_ROLE=writes") },
    });
  });

  it("reads go on while the writer is away, and what was published meanwhile is there when it is back", async () => {
    await rig.services.kill(writer);
    // Before anything is written that a writer which is soon back could apply.
    expect((await readOrd()).score).toBeLessThan(0.02);
    await write(20);
    await until(async () => (await readOrd()).score === 0.02, { what: "the writer is back" });
  });

  it("what Redis loses the writer brings back, though it was not there when the reader saw it", async () => {
    await rig.settled();
    const { epoch } = await readOrd();
    rig.services.pause(writer);
    try {
      await rig.redis.flushall();
      await until(async () => (await readOrd()).epoch !== epoch, { what: "the reader tells of a new epoch" });
      expect((await readOrd()).score).toBeNull();
    } finally {
      rig.services.resume(writer);
    }
    await until(async () => (await readOrd()).score === 0.02, { what: "the row is back" });
  });
});
