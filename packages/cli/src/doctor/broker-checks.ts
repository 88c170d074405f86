import { streamTable } from "@tributary/shared/contracts/topology";
import { readBrokerClock } from "@tributary/shared/messaging/broker-clock";
import type { Connection } from "@tributary/shared/messaging/contract";
import { openLetterBox } from "@tributary/shared/messaging/dead-letter-box";
import { readStreamState } from "@tributary/shared/messaging/stream-state";
import { verifyTopology } from "@tributary/shared/messaging/topology-admin";
import { readCurrentCatalog } from "../catalog/current.ts";
import { formatMs } from "../table.ts";
import { type Check, checked, fail, ok, warn } from "./check.ts";
import { compareWithFloor, natsFloorText } from "./version-floor.ts";

/** All that is asked of the broker, on an administrator's connection. */
export async function brokerChecks(connection: Connection): Promise<readonly Check[]> {
  const all = await Promise.all([
    checked("nats version", async () => natsVersionCheck(connection.serverVersion)),
    checked("topology", () => topologyCheck(connection)),
    checked("stream fill", () => fillCheck(connection)),
    checked("clock skew", () => skewCheck(connection)),
    checked("catalog", () => catalogCheck(connection)),
    checked("dead letters", () => deadLetterCheck(connection)),
  ]);
  return all.flat();
}

export function natsVersionCheck(version: string): Check {
  const name = "nats version";
  if (compareWithFloor(version) === "fixed") return ok(name, version);
  const what = `${version} is below the security floor (${natsFloorText}): development only`;
  return warn(name, what, "upgrade nats-server before it serves anybody else");
}

async function topologyCheck(connection: Connection): Promise<Check> {
  await verifyTopology(connection);
  return ok("topology", "streams, consumers and buckets are as declared");
}

const fillWarn = 0.7;

async function fillCheck(connection: Connection): Promise<readonly Check[]> {
  const fills = await Promise.all(
    streamTable.map(async ({ name, maxBytes, discard }) => {
      const { bytes } = await readStreamState(connection, name);
      return { name, share: bytes / maxBytes, discard };
    }),
  );
  const full = fills.filter(({ share }) => share >= fillWarn);
  if (full.length > 0) return full.map((one) => fullCheck(one));
  const fullest = fills.reduce((a, b) => (b.share > a.share ? b : a));
  return [ok("stream fill", `the fullest is ${fullest.name} with ${percent(fullest.share)}`)];
}

function fullCheck({ name, share, discard }: { name: string; share: number; discard: "new" | "old" }): Check {
  const [meaning, hint] =
    discard === "new"
      ? ["when it is full, publishers are refused", "see with `tributary status` whether its reader is behind"]
      : ["when it is full, the oldest messages go", "raise its max_bytes if its history must last longer"];
  return warn("stream fill", `${name} is ${percent(share)} full; ${meaning}`, hint);
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}

const skewWarnMs = 1_000;

async function skewCheck(connection: Connection): Promise<Check> {
  return judgeSkew(await readBrokerClock(connection, "TRIB_CTL"));
}

export function judgeSkew({ skewMs, uncertaintyMs }: Awaited<ReturnType<typeof readBrokerClock>>): Check {
  if (Math.abs(skewMs) <= skewWarnMs) {
    return ok("clock skew", skewMs === 0 ? `none (to ${Math.ceil(uncertaintyMs)} ms)` : formatMs(skewMs));
  }
  const direction = skewMs > 0 ? "ahead of" : "behind";
  const what = `the broker's clock is ${formatMs(Math.abs(skewMs))} ${direction} this machine's`;
  return warn("clock skew", what, "keep both in step, for example with chrony: event times and ages depend on it");
}

async function catalogCheck(connection: Connection): Promise<Check> {
  const catalog = await readCurrentCatalog(connection);
  if (!catalog) return fail("catalog", "none has been applied", "run `tributary apply FILE`");
  return ok("catalog", `version ${catalog.version}, ${Object.keys(catalog.views).length} views`);
}

async function deadLetterCheck(connection: Connection): Promise<Check> {
  const { messages, replayed, firstSequence } = await openLetterBox(connection);
  const open = messages - [...replayed].filter((sequence) => sequence >= firstSequence).length;
  if (open <= 0) return ok("dead letters", messages === 0 ? "none" : `${messages}, all replayed`);
  return warn("dead letters", `${open} not replayed`, "see `tributary dlq list`");
}
