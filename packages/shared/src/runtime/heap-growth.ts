import { setFlagsFromString } from "node:v8";

/** To four times of what is alive. */
const growthPercent = 300;

/**
 * For a process that moves many buffers and keeps little: lets V8 wait with collecting the whole heap. A process with few megabytes alive
 * may otherwise collect all of it several times a second for as long as it lives, for buffers that the next scavenge would free
 * anyway (measured: docs/internals/read-performance.md). What this may cost is memory: three times of what is alive, as garbage.
 * Documented by `node --v8-options` (heap-growing-percent).
 */
export function growHeapFreely(): void {
  setFlagsFromString(`--heap-growing-percent=${growthPercent}`);
}
