import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { endMs } from "./dataset.ts";
import { openFeed } from "./feed.ts";
import { startMesh } from "./mesh.ts";
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
    }
    if (!stopped) options.say("the data set ends here; Ctrl-C stops everything");
    await stopping;
    const nowMs = mesh.clock.now();
    await following;
    await mesh.clock.pauseAt(nowMs);
    await feed.publishUntil(mesh.clock.now());
    await feed.idle();
    const position = { publishedMs: mesh.clock.now(), landedMs: feed.landedMs };
    await writeFile(join(options.directory, "replay.json"), JSON.stringify(position));
  } finally {
    options.say("stopping…");
    await mesh.stop();
  }
}

/** Where an earlier start had stopped; a fresh directory has nothing. */
function storedPosition(directory: string): { publishedMs: number; landedMs: number } | undefined {
  try {
    return JSON.parse(readFileSync(join(directory, "replay.json"), "utf8"));
  } catch {
    return undefined;
  }
}
