import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brokerPermissions, principalTable } from "@tributary/shared/contracts/principals";
import { plainEnvironment } from "./child.ts";
import type { Credentials } from "./credentials.ts";
import { converse } from "./line-client.ts";
import type { ServerRecipe } from "./server-process.ts";

/** Streams declare their own bounds; this only has to be above their sum. */
const fileStoreMax = 256 * 1024 ** 3;
const memoryStoreMax = 64 * 1024 ** 2;
const payloadMax = 1024 * 1024;

/** JetStream on disk, one user a process with exactly its permissions, loopback only, no monitoring port. */
export function natsRecipe(binary: string, directory: string, credentials: Credentials): ServerRecipe {
  const data = join(directory, "nats");
  const configFile = join(data, "nats-server.conf");
  return {
    name: "nats-server",
    stopSignal: "SIGTERM",
    prepare: async (port) => {
      mkdirSync(data, { recursive: true, mode: 0o700 });
      writeFileSync(configFile, `${JSON.stringify(configuration(port, data, credentials), undefined, 2)}\n`, {
        mode: 0o600,
      });
      return {
        name: "nats-server",
        command: binary,
        args: ["--config", configFile],
        environment: plainEnvironment(),
        workingDirectory: data,
      };
    },
    answers: async (port) => {
      const heard = await askNats({ host: "127.0.0.1", port }, { user: "admin", pass: credentials("nats-admin") });
      return heard?.includes("PONG\r\n") ?? false;
    },
  };
}

/** What a broker says at connect: its version; undefined when it does not answer. */
export async function natsVersion(address: {
  readonly host: string;
  readonly port: number;
}): Promise<string | undefined> {
  const greeting = await converse(address, "", (heard) => heard.includes("\r\n"));
  return greeting === undefined ? undefined : /"version":"([^"]+)"/.exec(greeting)?.[1];
}

/** nats-server reads JSON as it reads its own format. */
function configuration(port: number, data: string, credentials: Credentials) {
  return {
    listen: `127.0.0.1:${port}`,
    server_name: "tributary-local",
    max_payload: payloadMax,
    jetstream: { store_dir: join(data, "jetstream"), max_mem: memoryStoreMax, max_file: fileStoreMax },
    authorization: {
      users: principalTable.map((principal) => ({
        user: principal.name,
        password: credentials(`nats-${principal.name}`),
        permissions: brokerPermissions(principal),
      })),
    },
  };
}

function askNats(address: { host: string; port: number }, login: { user: string; pass: string }) {
  const connect = { ...login, verbose: false, pedantic: false, protocol: 1, lang: "probe", version: "1" };
  const complete = (heard: string) => heard.includes("PONG\r\n") || heard.includes("-ERR");
  return converse(address, `CONNECT ${JSON.stringify(connect)}\r\nPING\r\n`, complete);
}
