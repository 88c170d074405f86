import { createLogger } from "@tributary/shared/runtime/logger";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { Lives } from "../adapters/redis-lives.ts";
import type { Progress } from "../adapters/redis-progress.ts";
import { lifeOf, type PartitionLife } from "../core/partition-life.ts";
import { createReplays, type ReplayOptions } from "./replay-lanes.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const settleMs = 5_000;

it("calls nothing whole before nobody writes to the server of before any more, and counts anew for a new loss", async () => {
  const completed: string[] = [];
  const lives = { complete: async ({ life }: { life: string }) => completed.push(life) > 0 } as unknown as Lives;
  const options: ReplayOptions = {
    lanes: [],
    streamState: () => Promise.reject(new Error("there are no lanes")),
    lives,
    progress: {} as Progress,
    lease: { take: async () => true, renew: async () => true, release: async () => undefined },
    logger: createLogger({ name: "replays", level: "silent" }),
    settleMs,
  };
  const replays = createReplays(options);
  const look = async (random: string) => {
    const behind: PartitionLife = { run: "run", life: lifeOf("run", random), whole: undefined, floors: new Map() };
    replays.consider([behind]);
    await vi.advanceTimersByTimeAsync(0);
  };
  await look("a");
  await vi.advanceTimersByTimeAsync(settleMs - 1);
  await look("a");
  await look("b");
  await vi.advanceTimersByTimeAsync(settleMs - 1);
  await look("b");
  expect(completed).toEqual([]);
  await vi.advanceTimersByTimeAsync(1);
  await look("b");
  expect(completed).toEqual(["run:b"]);
  await replays.stop();
});
