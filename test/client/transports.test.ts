import { connectTributary } from "@tributary/client/connect";
import { connectOverHttp } from "@tributary/client/connect-over-http";
import type { Tributary } from "@tributary/client/tributary";
import { afterAll, beforeAll } from "vitest";
import { type ClientMesh, startClientMesh } from "./client-mesh.ts";
import { type ClientRig, describeClient } from "./conformance.ts";

let mesh: ClientMesh;
beforeAll(async () => {
  mesh = await startClientMesh();
});
afterAll(() => mesh?.stop());

const rigOf = (client: Tributary): ClientRig => ({ ...mesh.lanes, client, stop: () => client.close() });

describeClient("over NATS", async () => rigOf(await connectTributary({ natsUrl: mesh.servers.nats.url("client") })));

describeClient("over HTTP", async () =>
  rigOf(
    connectOverHttp({
      storeUrl: mesh.services.httpUrl("online-store"),
      gatewayUrl: mesh.services.httpUrl("direct-gateway"),
    }),
  ),
);
