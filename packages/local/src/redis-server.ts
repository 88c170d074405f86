import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { plainEnvironment } from "./child.ts";
import type { Credentials } from "./credentials.ts";
import { converse } from "./line-client.ts";
import type { ServerRecipe } from "./server-process.ts";

/** Append-only file, never evicts: what the store wrote stays until the store removes it. */
export function redisRecipe(binary: string, directory: string, credentials: Credentials): ServerRecipe {
  const data = join(directory, "redis");
  const configFile = join(data, "redis.conf");
  return {
    name: "redis-server",
    stopSignal: "SIGTERM",
    prepare: async (port) => {
      mkdirSync(data, { recursive: true, mode: 0o700 });
      writeFileSync(configFile, configuration(port, data, credentials("redis")), { mode: 0o600 });
      return {
        name: "redis-server",
        command: binary,
        args: [configFile],
        environment: plainEnvironment(),
        workingDirectory: data,
      };
    },
    answers: async (port, pid) => {
      const info = await askRedis({ host: "127.0.0.1", port }, credentials("redis"));
      return info?.includes("+PONG") === true && info.includes(`process_id:${pid}\r\n`);
    },
  };
}

/** Version of a Redis; undefined when it does not answer or refuses the password. */
export async function redisVersion(
  address: { readonly host: string; readonly port: number },
  password: string,
): Promise<string | undefined> {
  return /redis_version:(\S+)/.exec((await askRedis(address, password)) ?? "")?.[1];
}

function askRedis(address: { readonly host: string; readonly port: number }, password: string) {
  const complete = (heard: string) => heard.includes("executable:") || /^-(ERR|WRONGPASS|NOAUTH)/m.test(heard);
  const login = password === "" ? "" : `AUTH ${password}\r\n`;
  return converse(address, `${login}PING\r\nINFO server\r\n`, complete);
}

function configuration(port: number, data: string, password: string): string {
  return `bind 127.0.0.1
port ${port}
protected-mode yes
requirepass ${password}
dir "${data}"
daemonize no
appendonly yes
appendfsync everysec
save ""
maxmemory-policy noeviction
`;
}
