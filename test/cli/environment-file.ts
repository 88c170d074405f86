import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Servers } from "@tributary/local/servers";
import { temporaryDirectory } from "../support/temporary-directory.ts";

/** A folder in which the command finds these servers. */
export function folderFor(servers: Servers, need: { readonly postgres: boolean }) {
  const folder = temporaryDirectory("cli");
  const environment = {
    natsUrl: servers.nats.url("client"),
    adminNatsUrl: servers.nats.url("admin"),
    ...(need.postgres && { databaseUrl: servers.postgres.url }),
  };
  mkdirSync(join(folder.path, ".tributary"));
  writeFileSync(join(folder.path, ".tributary", "environment.json"), JSON.stringify(environment));
  return folder;
}
