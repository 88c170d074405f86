import { createHash } from "node:crypto";
import { isReplyError } from "./redis-client.ts";
import { ask, type RedisServers } from "./redis-servers.ts";

/** A Lua script by its hash; sent whole only where the server does not know it (a restart or flush forgets scripts). */
export interface Script {
  readonly text: string;
  readonly sha: string;
}

export function script(text: string): Script {
  return { text, sha: createHash("sha1").update(text).digest("hex") };
}

/** What HGETALL says inside of a script: names and values by turns. */
export function readHash(flat: readonly string[]): Record<string, string> {
  const fields: Record<string, string> = {};
  for (let i = 0; i + 1 < flat.length; i += 2) fields[flat[i] as string] = flat[i + 1] as string;
  return fields;
}

/** All keys lie in the slot of the first. @throws TributaryError UNAVAILABLE */
export function runScript(
  redis: RedisServers,
  { text, sha }: Script,
  args: { readonly keys: readonly string[]; readonly values: readonly (string | number | Buffer)[] },
): Promise<unknown> {
  const { keys, values } = args;
  return ask(redis, keys[0] ?? "", (server) =>
    server.evalsha(sha, keys.length, ...keys, ...values).catch((error: unknown) => {
      if (!(isReplyError(error) && error.message.startsWith("NOSCRIPT"))) throw error;
      return server.eval(text, keys.length, ...keys, ...values);
    }),
  );
}
