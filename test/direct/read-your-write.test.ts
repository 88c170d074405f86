import { connectTributary, type Tributary } from "@tributary/client/connect";
import type { WriteReply, WriteToken } from "@tributary/shared/contracts/write";
import { afterAll, beforeAll, expect, it } from "vitest";
import { boarding, congestion } from "../cli/features.ts";
import { type Mesh, startMesh } from "../support/mesh.ts";
import { applyFeatures } from "./apply-features.ts";

let mesh: Mesh;
let client: Tributary;

beforeAll(async () => {
  mesh = await startMesh({ services: ["direct-gateway", "online-store", "online-store-2"] });
  client = await connectTributary({ natsUrl: mesh.servers.nats.url("client") });
  await applyFeatures(mesh);
});
afterAll(async () => {
  await client?.close();
  await mesh?.stop();
});

const keys = [{ origin: "ORD", destination: "LAX" }];

it("a read with a write's token sees that write, whichever instance answers (D3)", async () => {
  for (let round = 1; round <= 40; round++) {
    const score = round / 100;
    const reply = await client.write(congestion, [{ key: { code: "ORD" }, features: { score } }]);
    const [row] = await client.read(boarding, keys, { after: tokensOf(reply) });
    expect(row?.origin_score).toBe(score);
  }
});

it("an acknowledged write is readable after the gateway and the stores were killed", async () => {
  const scoredAt = new Date("2001-03-04T05:06:07Z");
  const reply = await client.write(congestion, [{ key: { code: "LAX" }, features: { score: 0.9, scoredAt } }]);
  await Promise.all(mesh.services.names.map((name) => mesh.services.kill(name)));
  const [row] = await client.read(boarding, keys, { after: tokensOf(reply), waitMs: 20_000, detail: true });
  expect(row?.destination_score).toMatchObject({ value: 0.9, status: "PRESENT", lane: "direct", fresh: true });
  expect(row?.destination_scoredAt.value).toEqual(scoredAt);
});

function tokensOf(reply: WriteReply): WriteToken[] {
  return reply.outcomes.map((outcome) => {
    if (outcome.kind !== "accepted") throw new Error(outcome.message);
    return outcome.token;
  });
}
