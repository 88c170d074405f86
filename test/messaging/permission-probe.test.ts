import { principalTable } from "@tributary/shared/contracts/principals";
import { streamTable } from "@tributary/shared/contracts/topology";
import { findMissingGrants } from "@tributary/shared/messaging/permission-probe";
import { readStreamState } from "@tributary/shared/messaging/stream-state";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Broker, startBroker } from "./broker.ts";

let broker: Broker;
beforeAll(async () => {
  broker = await startBroker();
});
afterAll(() => broker.stop());

test.each(principalTable.map(({ name }) => name))("%s has every grant of its row", async (name) => {
  const principal = principalTable.find((one) => one.name === name);
  if (principal === undefined) throw new Error("no principal");
  expect(await findMissingGrants(await broker.connect(name), principal)).toEqual({ publish: [], subscribe: [] });
});

test("what a user lacks is named, and what it has is not", async () => {
  const client = await broker.connect("client");
  const wanted = {
    publish: ["trib.v1.events.>", "trib.v1.rows.direct.*.*", "$JS.API.STREAM.DELETE.TRIB_DLQ"],
    subscribe: ["_INBOX.client.>", "trib.v1.rows.>"],
  };
  expect(await findMissingGrants(client, wanted)).toEqual({
    publish: ["trib.v1.rows.direct.*.*", "$JS.API.STREAM.DELETE.TRIB_DLQ"],
    subscribe: ["trib.v1.rows.>"],
  });
});

test("trying everything as the administrator leaves no message in any stream or bucket", async () => {
  const admin = await broker.connect("admin");
  const states = () =>
    Promise.all(streamTable.map(async ({ name }) => (await readStreamState(admin, name)).lastSequence));
  const before = await states();
  const grants = principalTable.flatMap(({ publish }) => publish);
  const missing = await findMissingGrants(admin, { publish: grants, subscribe: [] });
  expect(missing.publish).toEqual([]);
  expect(await states()).toEqual(before);
  const idempotency = await readStreamState(admin, "KV_TRIB_IDEMPOTENCY" as never);
  expect(idempotency.lastSequence).toBe(0);
});
