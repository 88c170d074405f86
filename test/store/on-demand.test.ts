import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { applyCatalog } from "@tributary/cli/catalog/apply";
import { connectTributary, type Tributary } from "@tributary/client/connect";
import { connectOverHttp } from "@tributary/client/connect-over-http";
import type { BatchRunReply, BatchRunStatus, BatchStatus } from "@tributary/shared/contracts/status";
import { subjects } from "@tributary/shared/contracts/subjects";
import { compileDefinitions } from "@tributary/shared/definitions/compile";
import { openBucket } from "@tributary/shared/messaging/bucket";
import { openConnection } from "@tributary/shared/messaging/connection";
import type { Connection } from "@tributary/shared/messaging/contract";
import { request } from "@tributary/shared/messaging/request";
import { setClock } from "@tributary/shared/runtime/clock-client";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runCli } from "../cli/run-cli.ts";
import { type Mesh, startMesh } from "../support/mesh.ts";
import { until } from "../support/until.ts";
import * as definitions from "./on-demand-definitions.ts";
import { counter, desk, shipping } from "./on-demand-definitions.ts";

const noon = Date.parse("2026-03-01T12:00:00Z");

interface Parcel {
  readonly id: string;
  readonly weight: number | null;
  readonly pieces: number | null;
  readonly place: string | null;
  /** Epoch ms. */
  readonly sent: number | null;
}

const orNull = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { freq: 4 });
const parcel = fc.record({
  weight: orNull(fc.integer({ min: -40, max: 400 }).map((n) => n / 4)),
  pieces: orNull(fc.integer({ min: 0, max: 5 })),
  place: orNull(fc.constantFrom("oslo", "Lima", "bonn")),
  sent: orNull(fc.integer({ min: 0, max: 1e6 }).map((n) => noon - n * 1_000)),
});
const parcels: readonly Parcel[] = fc.sample(parcel, { numRuns: 200 }).map((one, i) => ({ id: `p${i}`, ...one }));

/** What the expressions say, in plain TypeScript: null where there is no value. */
function oracle({ weight, pieces, place, sent }: Parcel) {
  const product = weight === null || pieces === null ? null : weight * pieces;
  return {
    each: weight === null ? -1 : pieces === null || pieces === 0 ? null : (weight * 2) / pieces,
    label: place === null ? "nowhere" : place.toUpperCase() + (weight !== null && weight >= 0 ? "+" : "-"),
    halves: product !== null && Number.isInteger(product) ? product + 0 : null,
    due: sent === null || pieces === null ? null : new Date(sent + pieces * 3_600_000),
  };
}

function csvOf(rows: readonly Parcel[]): string {
  const lines = rows.map(({ id, weight, pieces, place, sent }) =>
    [id, weight ?? "", pieces ?? "", place ?? "", sent === null ? "" : new Date(sent).toISOString()].join(","),
  );
  return ["id,weight,pieces,place,sent", ...lines, ""].join("\n");
}

describe("on-demand features", () => {
  let mesh: Mesh;
  let admin: Connection;
  let overNats: Tributary;
  let overHttp: Tributary;
  let natsUrl: string;

  beforeAll(async () => {
    mesh = await startMesh({
      services: ["online-store", "batch-runner", "direct-gateway"],
      environment: { BATCH_SCHEDULE: "off" },
    });
    natsUrl = mesh.servers.nats.url("admin");
    admin = await openConnection({ url: natsUrl, name: "test" });
    await setClock(await openBucket(admin, "TRIB_CLOCK"), { simulatedMs: noon, realMs: Date.now(), rate: 0 });
    const body = compileDefinitions(Object.values(definitions));
    await applyCatalog({ body, natsUrl, databaseUrl: mesh.servers.postgres.url });
    const folder = join(mesh.servers.directory, "lake/raw/parcels");
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, "parcels.csv"), csvOf(parcels));
    overNats = await connectTributary({ natsUrl: mesh.servers.nats.url("client") });
    const gatewayUrl = mesh.services.httpUrl("direct-gateway");
    overHttp = connectOverHttp({ storeUrl: mesh.services.httpUrl("online-store"), gatewayUrl });
    for (const name of ["online-store", "direct-gateway"])
      await until(async () => (await fetch(`${mesh.services.httpUrl(name)}/readyz`)).ok, { what: `${name} is ready` });
    await until(async () => (await status()).catalogVersion === 1, { what: "the runner has seen the catalog" });
  });
  afterAll(async () => {
    await Promise.all([overNats?.close(), overHttp?.close(), admin?.close()]);
    await mesh?.stop();
  });

  const ask = async <T>(subject: string, value: unknown): Promise<T> => {
    const bytes = new TextEncoder().encode(JSON.stringify(value));
    return JSON.parse(new TextDecoder().decode(await request(admin, subject, bytes))) as T;
  };
  const status = (view?: string) => ask<BatchStatus>(subjects.batchStatus, view === undefined ? {} : { view });
  async function run(view: string): Promise<BatchRunStatus> {
    const { request: id } = await ask<BatchRunReply>(subjects.batchRun, { view });
    return until(
      async () => (await status(view)).runs.find((one) => one.request === id && one.finishedAtMs !== undefined),
      { what: `the run of ${view} ended` },
    );
  }

  it("are the same over NATS, over HTTP, in a batch query and in plain TypeScript", async () => {
    mesh.printLogsOnFailure();
    expect(await run("packed")).toMatchObject({ phase: "published", counts: { inserted: parcels.length } });
    const keys = parcels.map(({ id }) => ({ id }));
    const rows = await until(
      async () => {
        const read = await overNats.read(shipping, keys);
        return read.every((row) => row.sqlLabel !== null) ? read : undefined;
      },
      { what: "all rows are readable" },
    );
    const wanted = parcels.map(oracle);
    const names = ["each", "label", "halves", "due"] as const;
    const computed = (row: (typeof rows)[number]) => names.map((name) => row[name]);
    expect(rows.map(computed)).toEqual(wanted.map((row) => names.map((name) => row[name])));
    expect((await overHttp.read(shipping, keys)).map(computed)).toEqual(rows.map(computed));
    const bySql = rows.map((row) => [row.sqlEach, row.sqlLabel, row.sqlHalves, row.sqlDue]);
    expect(bySql).toEqual(rows.map(computed));
    const response = await fetch(`${mesh.services.httpUrl("online-store")}/v1/features/read`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ featureService: "shipping", keys, features: [...names] }),
    });
    const { columns } = (await response.json()) as { columns: { name: string; values: unknown[] }[] };
    const asJson = (value: unknown) => (value instanceof Date ? value.getTime() : value);
    expect(columns).toEqual(names.map((name) => ({ name, values: wanted.map((row) => asJson(row[name])) })));
  });

  it("count what could not be evaluated by feature", async () => {
    const failures = async (feature: string) => {
      const text = await (await fetch(`${mesh.services.httpUrl("online-store")}/metrics`)).text();
      return Number(new RegExp(`on_demand_failures_total\\{feature="${feature}"\\} (\\d+)`).exec(text)?.[1] ?? 0);
    };
    const before = await failures("halves");
    await overNats.read(
      shipping,
      parcels.map(({ id }) => ({ id })),
    );
    expect((await failures("halves")) - before).toBe(parcels.filter((one) => oracle(one).halves === null).length);
    expect(await failures("label")).toBe(0);
  });

  it("take request fields, look through layers, and build on each other", async () => {
    const written = parcels.find(({ weight }) => weight !== null) as Parcel;
    const missing = { parcel: "nobody", price: 3 };
    const { outcomes } = await overHttp.write(desk, [{ key: { id: written.id }, features: { weight: 8 } }]);
    const after = outcomes.flatMap((outcome) => (outcome.kind === "accepted" ? [outcome.token] : []));
    const since = new Date(5);
    const keys = [{ parcel: written.id, price: 2.5, since }, { parcel: written.id, price: 1, since: null }, missing];
    for (const client of [overNats, overHttp]) {
      const rows = await client.read(counter, keys, { after });
      expect(rows.map(({ kilos, quote, doubled, tag }) => [kilos, quote, doubled, tag])).toEqual([
        [8, 25, 67.5, "NONE+"],
        [8, 8, 8, "NONE+"],
        [null, 3, 9, "NONE+"],
      ]);
      expect(await client.read(counter, keys, { features: ["doubled"] })).toEqual([
        { doubled: 67.5 },
        { doubled: 8 },
        { doubled: 9 },
      ]);
    }
  });

  it("tell the oldest time, the greatest age and the freshness of their inputs, and no lane", async () => {
    const [written] = parcels.filter(({ weight, place }) => weight !== null && place !== null);
    const [row] = await overNats.read(shipping, [{ id: written?.id ?? "" }], { detail: true });
    expect(row?.label).toEqual({
      value: row?.sqlLabel.value,
      status: "PRESENT",
      eventTime: new Date(noon),
      ageMs: 0,
      fresh: true,
      lane: null,
      view: null,
    });
    const [nobody] = await overHttp.read(shipping, [{ id: "nobody" }], { detail: true });
    expect(nobody?.each).toMatchObject({ value: -1, status: "PRESENT", eventTime: null, ageMs: null, fresh: false });
    expect(nobody?.halves).toMatchObject({ value: null, status: "NULL_VALUE" });
  });

  it.each([
    ["missing", {}, "MISSING_FIELD", 'request field "price"'],
    [
      "of another type",
      { price: "a lot" },
      "BAD_VALUE",
      'request field "price" of feature service "counter" must be float64',
    ],
    ["null where it must not be", { price: null }, "BAD_VALUE", "must not be null"],
    ["unknown", { price: 1, prize: 1 }, "UNKNOWN_KEY", '"prize"'],
  ])("refuse a request field that is %s, over NATS and HTTP alike", async (_what, fields, code, message) => {
    for (const client of [overNats, overHttp])
      await expect(client.read("counter", [{ parcel: "p1", ...fields }])).rejects.toMatchObject({
        code,
        message: expect.stringContaining(message),
      });
  });

  it("are read on the command line with request fields as NAME=VALUE", async () => {
    const options = { directory: mesh.directory, environment: { NATS_URL: natsUrl } };
    const result = await runCli(["get", "counter", "parcel=nobody", "price=3", "since=4", "--json"], options);
    expect(result.json()).toMatchObject({ ok: true, data: { rows: [{ kilos: null, quote: 7, doubled: 25 }] } });
    const given = ["get", "counter", "--keys", '[{"parcel":"nobody","price":3,"since":null}]', "--json"];
    expect((await runCli(given, options)).json()).toMatchObject({ ok: true, data: { rows: [{ quote: 3 }] } });
  });

  it("of a name that SQL has already are refused in the SQL that calls it", async () => {
    expect(await run("clashing")).toMatchObject({
      phase: "failed",
      error: { code: "INVALID_DEFINITION", message: expect.stringContaining('its SQL calls "lower"') },
    });
  });
});
