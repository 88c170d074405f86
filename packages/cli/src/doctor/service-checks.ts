import type { Connection } from "@tributary/shared/messaging/contract";
import { askJson } from "../ask-json.ts";
import { type Check, checked, fail, ok } from "./check.ts";

const services = ["batch-runner", "stream-processor", "direct-gateway", "online-store"] as const;
const readyMsMax = 3_000;

interface Info {
  readonly version: string;
  readonly metadata?: { readonly http?: string };
}

/** Each service's answer, and Redis as the store sees it. */
export async function serviceChecks(connection: Connection): Promise<readonly Check[]> {
  const all = await Promise.all(services.map((service) => checkService(connection, service)));
  return all.flat();
}

async function checkService(connection: Connection, service: string): Promise<readonly Check[]> {
  const info = await askJson<Info>(connection, `$SRV.INFO.${service}`).catch(() => undefined);
  if (info === undefined) {
    return [fail(service, "does not answer", "start it, or see its log for why it ended; `npm start` runs all four")];
  }
  const answer = ok(service, `version ${info.version}`);
  if (service !== "online-store") return [answer];
  return [answer, ...(await checked("redis", () => redisCheck(info.metadata?.http)))];
}

/** Only the store knows its Redis: its readiness tells. */
async function redisCheck(http: string | undefined): Promise<Check> {
  const hint = "check that Redis runs and that the store's REDIS_URL is right";
  if (http === undefined) return fail("redis", "the store names no HTTP address to ask", "upgrade the store");
  const response = await fetch(new URL("/readyz", http), { signal: AbortSignal.timeout(readyMsMax) }).catch(
    () => undefined,
  );
  if (response === undefined) return fail("redis", `nobody answers on ${http}/readyz`, "ask from the store's network");
  if (response.ok) return ok("redis", "answers the store");
  return fail("redis", `the store is not ready: ${reasonOf(await response.text())}`, hint);
}

const reasonLengthMax = 300;

function reasonOf(body: string): string {
  try {
    const parsed: unknown = JSON.parse(body);
    const message = (parsed as { error?: { message?: unknown }; message?: unknown } | null)?.error?.message;
    if (typeof message === "string") return message.slice(0, reasonLengthMax);
  } catch {
    // Not JSON: shown as it is.
  }
  return body.trim().slice(0, reasonLengthMax);
}
