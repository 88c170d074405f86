import { setFlagsFromString } from "node:v8";

/** To four times of what is alive, which is the most that V8 grows a heap to by itself. */
const growthPercent = 300;

/**
 * For a process that moves many buffers and keeps little: lets V8 wait with collecting the whole heap. It counts the bytes of buffers
 * against a bound that it sets from what is alive and from how fast it believes to be; a process with few megabytes alive may
 * stay in a state for minutes in which it collects everything several times a second, for buffers that the next scavenge
 * would free anyway. What this may cost is memory: three times of what is alive, as garbage.
 * Documented by `node --v8-options` (heap-growing-percent).
 */
export function growHeapFreely(): void {
  setFlagsFromString(`--heap-growing-percent=${growthPercent}`);
}
