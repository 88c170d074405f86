import { serviceNames } from "@tributary/local/service-specs";
import { openConnection } from "@tributary/shared/messaging/connection";
import type { Connection } from "@tributary/shared/messaging/contract";
import { request } from "@tributary/shared/messaging/request";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Mesh, startMesh } from "../support/mesh.ts";
import { until } from "../support/until.ts";

let mesh: Mesh;
let client: Connection;

beforeAll(async () => {
  mesh = await startMesh();
  client = await openConnection({ url: mesh.servers.nats.url("client"), name: "mesh-test" });
});

afterAll(async () => {
  await client?.close();
  await mesh?.stop();
});

/** What a service says of itself in the broker's micro protocol. */
async function ask(verb: "PING" | "INFO" | "STATS", name: string): Promise<unknown> {
  return JSON.parse(Buffer.from(await request(client, `$SRV.${verb}.${name}`, new Uint8Array())).toString());
}

describe("the four services", () => {
  it.each(serviceNames)("%s answers PING, INFO and STATS", async (name) => {
    mesh.printLogsOnFailure();
    for (const verb of ["PING", "INFO", "STATS"] as const) {
      const answer = await ask(verb, name);
      expect(answer).toMatchObject({ name, type: `io.nats.micro.v1.${verb.toLowerCase()}_response` });
    }
  });

  it("come back after each was killed, and answer again", async () => {
    mesh.printLogsOnFailure();
    await Promise.all(serviceNames.map((name) => mesh.services.kill(name)));
    for (const name of serviceNames) {
      expect(mesh.services.restarts(name)).toBe(1);
      await until(() => ask("PING", name));
    }
  });

  it.each(["nats", "postgres", "redis"] as const)("are ready again after %s was killed and started", async (server) => {
    mesh.printLogsOnFailure();
    await mesh.servers[server].kill();
    await mesh.servers[server].start();
    for (const name of serviceNames) await until(() => ask("PING", name));
  });
});
