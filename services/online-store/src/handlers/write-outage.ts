import type { Lane } from "@tributary/shared/contracts/catalog";
import type { WaitStatus } from "@tributary/shared/contracts/status";
import type { Logger } from "@tributary/shared/runtime/logger";

/** Why a lane's writes wait, told once when it begins and once when it ends. */
export interface WriteOutage {
  readonly current: WaitStatus | undefined;
  /** A batch had to be given back. */
  began(why: string): void;
  /** A batch was applied. */
  ended(): void;
}

export function createWriteOutage(lane: Lane, logger: Logger): WriteOutage {
  let current: WaitStatus | undefined;
  return {
    get current() {
      return current;
    },
    began: (why) => {
      if (current === undefined) logger.error({ lane, why }, "writes wait; they go on by themselves");
      current = { sinceMs: current?.sinceMs ?? Date.now(), why };
    },
    ended: () => {
      if (current === undefined) return;
      logger.info({ lane, waitedMs: Date.now() - current.sinceMs }, "writes go on");
      current = undefined;
    },
  };
}
