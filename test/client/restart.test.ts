import { connectTributary } from "@tributary/client/connect";
import { connectOverHttp } from "@tributary/client/connect-over-http";
import type { Tributary } from "@tributary/client/tributary";
import { encodePayload } from "@tributary/shared/codec/json-or-msgpack";
import type { ReadReply } from "@tributary/shared/contracts/read";
import { subjects } from "@tributary/shared/contracts/subjects";
import { openConnection } from "@tributary/shared/messaging/connection";
import type { MicroService } from "@tributary/shared/messaging/contract";
import { serveEndpoints } from "@tributary/shared/messaging/endpoints";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { until } from "../support/until.ts";
import { type ClientMesh, serviceReady, startClientMesh } from "./client-mesh.ts";

let mesh: ClientMesh;
const clients = new Map<string, Tributary>();
beforeAll(async () => {
  mesh = await startClientMesh();
  const [storeUrl, gatewayUrl] = [mesh.services.httpUrl("online-store"), mesh.services.httpUrl("direct-gateway")];
  clients.set("NATS", await connectTributary({ natsUrl: mesh.servers.nats.url("client") }));
  clients.set("HTTP", connectOverHttp({ storeUrl, gatewayUrl }));
});
afterAll(async () => {
  for (const client of clients.values()) await client.close();
  await mesh?.stop();
});

it.each(["NATS", "HTTP"])(
  "reads over %s fail clearly while the store restarts, and go on by themselves",
  async (name) => {
    mesh.printLogsOnFailure();
    const client = clients.get(name) as Tributary;
    const read = () =>
      client.read("everything", [{ code: "A" }], { timeoutMs: 500 }).then(
        () => "read",
        (error) => String(error.code),
      );
    await until(async () => (await read()) === "read");
    const outcomes = new Set<string>();
    let isReading = true;
    const readers = Array.from({ length: 4 }, async () => {
      while (isReading) outcomes.add(await read());
    });
    await mesh.services.kill("online-store");
    await serviceReady(mesh, "online-store");
    await until(async () => (await read()) === "read");
    isReading = false;
    await Promise.all(readers);
    expect([...outcomes].filter((one) => !["read", "UNAVAILABLE", "DEADLINE"].includes(one))).toEqual([]);
    expect(outcomes).toContain("read");
  },
);

it("a read that met nobody is asked once more, and finds the store that has come meanwhile", async () => {
  await mesh.services.stop();
  const store = await openConnection({ url: mesh.servers.nats.url("online-store"), name: "store" });
  const reply: ReadReply = { featureService: "s", catalogVersion: 1, epoch: "e", nowMs: 0, columns: [] };
  const serve = () =>
    serveEndpoints(store, {
      name: "online-store",
      version: "0.1.0",
      description: "",
      endpoints: [
        { name: "read-features", subject: subjects.readFeatures, handle: async () => encodePayload(reply, "msgpack") },
      ],
    });
  const client = clients.get("NATS") as Tributary;
  await until(() => client.read("s", [{ code: "A" }]).catch((error) => error.code === "UNAVAILABLE"));
  // The pause before the second attempt is drawn by chance: that is when the store comes.
  let service: Promise<MicroService> | undefined;
  const chance = vi.spyOn(Math, "random").mockImplementation(() => {
    service ??= serve();
    return 0.999;
  });
  expect(await client.read("s", [{ code: "A" }])).toEqual([{}]);
  chance.mockRestore();
  await (await service)?.stop();
  await store.close();
});
