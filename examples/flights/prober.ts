import { setTimeout as sleep } from "node:timers/promises";
import { asTributaryError } from "@tributary/shared/contracts/errors";
import { boarding } from "./definitions.ts";
import type { Mesh } from "./mesh.ts";

/** Reads all the time and remembers when it failed. Real time, epoch ms. */
export interface Prober {
  readonly reads: number;
  readonly failures: readonly ProbeFailure[];
  stop(): Promise<void>;
}

export interface ProbeFailure {
  readonly fromMs: number;
  readonly untilMs: number;
  readonly code: string;
  readonly message: string;
}

const pauseMs = 50;
/** Whether it is answered at all, not how fast: a busy machine takes its time. */
const timeoutMs = 5_000;

export function startProber(mesh: Mesh): Prober {
  const failures: ProbeFailure[] = [];
  let reads = 0;
  let stopping = false;
  const work = (async () => {
    while (!stopping) {
      const fromMs = Date.now();
      try {
        await mesh.client.read(boarding, [{ origin: "ORD", destination: "LAX" }], { timeoutMs });
        reads += 1;
      } catch (error) {
        const { code, message } = asTributaryError(error);
        failures.push({ fromMs, untilMs: Date.now(), code, message });
      }
      await sleep(pauseMs);
    }
  })();
  return {
    get reads() {
      return reads;
    },
    failures,
    stop: () => {
      stopping = true;
      return work;
    },
  };
}
