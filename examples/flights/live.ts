import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { assertServersLive } from "@tributary/local/servers-alive";
import { endMs } from "./dataset.ts";
import { type Feed, openFeed } from "./feed.ts";
import { type Mesh, startMesh } from "./mesh.ts";
import { prepare } from "./prepare.ts";
import { createScreen } from "./screen.ts";

export interface LiveOptions {
  readonly directory: string;
  readonly keep: boolean;
  readonly yes: boolean;
  readonly say: (line: string) => void;
  /** Settles when a person wants to stop. */
  readonly stopRequested: Promise<void>;
}

/** Simulated minutes a real second. */
const rate = 60;
const drawMs = 1_000;
/** What the last steps may take before everything is stopped anyway, ms. */
const parkMsMax = 5_000;

/** Runs until somebody stops it; `--keep` goes on at the stored instant later. */
export async function runLive(options: LiveOptions): Promise<void> {
  let stopped = false;
  const stopping = options.stopRequested.then(() => {
    stopped = true;
  });
  const mesh = await startMesh(options);
  try {
    const stored = options.keep ? storedPosition(options.directory) : undefined;
    const feed =
      stored === undefined
        ? (await prepare(mesh, options.say)).feed
        : openFeed(mesh, stored.publishedMs, stored.landedMs);
    if (!stopped) await mesh.clock.run(rate);
    const screen = createScreen(mesh, feed);
    const following = feed.follow(endMs, () => stopped);
    following.catch(() => undefined);
    while (!stopped && mesh.clock.now() < endMs) {
      await screen.draw();
      await Promise.race([sleep(drawMs), stopping, following.then(() => new Promise(() => {})), mesh.services.failed]);
      assertServersLive(mesh.servers);
    }
    if (!stopped) options.say("the data set ends here; Ctrl-C stops everything");
    await stopping;
    options.say("stopping…");
    const isParked = await Promise.race([park(mesh, feed, following), sleep(parkMsMax, false)]);
    if (!isParked) options.say("the place could not be noted in time: --keep goes on from the one noted before");
  } finally {
    await mesh.stop();
  }
}

/** Stands the clock still, publishes up to there, and notes where to go on. */
async function park(mesh: Mesh, feed: Feed, following: Promise<void>): Promise<true> {
  const nowMs = mesh.clock.now();
  await following;
  await mesh.clock.pauseAt(nowMs);
  await feed.publishUntil(mesh.clock.now());
  await feed.idle();
  const position = { publishedMs: mesh.clock.now(), landedMs: feed.landedMs };
  await writeFile(join(mesh.directory, "replay.json"), JSON.stringify(position));
  return true;
}

/** Where an earlier start had stopped; a fresh directory has nothing. */
function storedPosition(directory: string): { publishedMs: number; landedMs: number } | undefined {
  try {
    return JSON.parse(readFileSync(join(directory, "replay.json"), "utf8"));
  } catch {
    return undefined;
  }
}
