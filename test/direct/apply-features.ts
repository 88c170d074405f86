import { applyCatalog } from "@tributary/cli/catalog/apply";
import { compileDefinitions } from "@tributary/shared/definitions/compile";
import * as features from "../cli/features.ts";
import type { Mesh } from "../support/mesh.ts";
import { until } from "../support/until.ts";

/** Applies the features and waits until every service with an HTTP endpoint is ready. */
export async function applyFeatures(mesh: Mesh): Promise<void> {
  const body = compileDefinitions(Object.values(features));
  await applyCatalog({ body, natsUrl: mesh.servers.nats.url("admin"), databaseUrl: mesh.servers.postgres.url });
  for (const name of mesh.services.names) {
    await until(async () => (await fetch(`${mesh.services.httpUrl(name)}/readyz`)).ok, { what: `${name} is ready` });
  }
}
