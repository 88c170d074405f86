import { setTimeout as sleep } from "node:timers/promises";
import { asTributaryError } from "@tributary/shared/contracts/errors";
import { boarding } from "./definitions.ts";
import type { Mesh } from "./mesh.ts";

/** Reads all the time and remembers when it failed. Real time, epoch ms. */
export interface Prober {
  readonly reads: number;
  readonly failures: readonly { readonly atMs: number; readonly code: string }[];
  stop(): Promise<void>;
}

const pauseMs = 50;

export function startProber(mesh: Mesh): Prober {
  const failures: { atMs: number; code: string }[] = [];
  let reads = 0;
  let stopping = false;
  const work = (async () => {
    while (!stopping) {
      const atMs = Date.now();
      try {
        await mesh.client.read(boarding, [{ origin: "ORD", destination: "LAX" }], { timeoutMs: 1_000 });
        reads += 1;
      } catch (error) {
        failures.push({ atMs, code: asTributaryError(error).code });
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
