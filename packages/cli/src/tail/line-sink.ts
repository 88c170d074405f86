import type { Writable } from "node:stream";

/** Bytes that may wait for a slow reader; above it lines are left out and counted, so that memory stays bounded. */
const waitingBytesMax = 16 * 1024 * 1024;

export interface LineSink {
  write(line: string): void;
  readonly dropped: number;
  /** Resolves when the reader has gone, as `head` does. */
  readonly closed: Promise<void>;
  /** Resolves when everything written has been handed on, or the reader has gone. */
  flush(): Promise<void>;
}

export function lineSink(stream: Writable): LineSink {
  let dropped = 0;
  const closed = new Promise<void>((resolve) => {
    stream.once("error", () => resolve());
    stream.once("close", () => resolve());
  });
  return {
    write: (line) => {
      if (stream.writableLength > waitingBytesMax) dropped += 1;
      else stream.write(`${line}\n`);
    },
    get dropped() {
      return dropped;
    },
    closed,
    flush: () => Promise.race([closed, new Promise<void>((resolve) => stream.write("", () => resolve()))]),
  };
}
