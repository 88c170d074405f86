import { createHash } from "node:crypto";
import type { Redis } from "ioredis";
import { answerOf, isReplyError } from "./redis-client.ts";

/** A Lua script by its hash; sent whole only where the server does not know it (a restart or flush forgets scripts). */
export interface Script {
  readonly text: string;
  readonly sha: string;
}

export function script(text: string): Script {
  return { text, sha: createHash("sha1").update(text).digest("hex") };
}

/** @throws TributaryError UNAVAILABLE */
export function runScript(
  redis: Redis,
  { text, sha }: Script,
  args: { readonly keys: readonly string[]; readonly values: readonly (string | number | Buffer)[] },
): Promise<unknown> {
  const { keys, values } = args;
  const attempt = redis.evalsha(sha, keys.length, ...keys, ...values).catch((error: unknown) => {
    if (!(isReplyError(error) && error.message.startsWith("NOSCRIPT"))) throw error;
    return redis.eval(text, keys.length, ...keys, ...values);
  });
  return answerOf(attempt);
}
