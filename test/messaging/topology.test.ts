import { bucketTable, consumerTable, streamTable } from "@tributary/shared/contracts/topology";
import { callApi } from "@tributary/shared/messaging/jetstream-api";
import { readStreamState } from "@tributary/shared/messaging/stream-state";
import { ensureTopology, verifyTopology } from "@tributary/shared/messaging/topology-admin";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Broker, startBroker } from "./broker.ts";

let broker: Broker;
beforeAll(async () => {
  broker = await startBroker();
});
afterAll(() => broker.stop());

test("ensuring again verifies everything and changes nothing", async () => {
  const admin = await broker.connect("admin");
  const { resources } = await ensureTopology(admin);
  expect(resources).toHaveLength(streamTable.length + bucketTable.length + consumerTable.length);
  expect(new Set(resources.map((resource) => resource.result))).toEqual(new Set(["verified"]));
  await verifyTopology(admin);
});

test("a limit that somebody changed is named, then set back", async () => {
  const admin = await broker.connect("admin");
  const { config } = await callApi<{ config: Record<string, unknown> }>(admin, "STREAM.INFO.TRIB_CTL");
  await callApi(admin, "STREAM.UPDATE.TRIB_CTL", { ...config, max_bytes: 1_000_000 });
  await expect(verifyTopology(admin)).rejects.toMatchObject({
    code: "BAD_CONFIG",
    message: expect.stringContaining("stream TRIB_CTL: max_bytes"),
  });
  const { resources } = await ensureTopology(admin);
  expect(resources.filter((resource) => resource.result === "updated")).toEqual([
    { kind: "stream", name: "TRIB_CTL", result: "updated", changed: ["max_bytes"] },
  ]);
  await verifyTopology(admin);
});

test("a consumer's limit that somebody changed is set back", async () => {
  const admin = await broker.connect("admin");
  const path = "TRIB_ROWS_BATCH.online-store";
  const { config } = await callApi<{ config: Record<string, unknown> }>(admin, `CONSUMER.INFO.${path}`);
  const body = { stream_name: "TRIB_ROWS_BATCH", config: { ...config, max_ack_pending: 7 } };
  await callApi(admin, `CONSUMER.DURABLE.CREATE.${path}`, body);
  const { resources } = await ensureTopology(admin);
  expect(resources.filter((resource) => resource.result === "updated")).toMatchObject([
    { name: "TRIB_ROWS_BATCH/online-store", changed: ["max_ack_pending"] },
  ]);
});

test("a difference that cannot be mended is an error naming stream and field", async () => {
  const admin = await broker.connect("admin");
  await callApi(admin, "STREAM.DELETE.TRIB_CTL");
  await expect(verifyTopology(admin)).rejects.toMatchObject({
    code: "MISSING_RESOURCE",
    message: expect.stringContaining("stream TRIB_CTL missing"),
  });
  const memory = {
    name: "TRIB_CTL",
    subjects: ["trib.v1.ctl.>"],
    retention: "limits",
    storage: "memory",
    num_replicas: 1,
  };
  await callApi(admin, "STREAM.CREATE.TRIB_CTL", memory);
  await expect(ensureTopology(admin)).rejects.toMatchObject({
    code: "BAD_CONFIG",
    message: expect.stringMatching(/stream TRIB_CTL: storage is "memory" and must be "file"/),
  });
  await callApi(admin, "STREAM.DELETE.TRIB_CTL");
  await ensureTopology(admin);
  expect(await readStreamState(admin, "TRIB_CTL")).toMatchObject({ firstSequence: 1, lastSequence: 0, messages: 0 });
});
