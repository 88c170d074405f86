/**
 * Cuts a stream of Redis' protocol (RESP 2, https://redis.io/docs/latest/develop/reference/protocol-spec/) into whole frames: commands one way,
 * replies the other.
 */
export class RespFrames {
  #rest: Buffer = Buffer.alloc(0);

  /** The frames that these bytes complete. */
  push(bytes: Buffer): Buffer[] {
    this.#rest = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    const frames: Buffer[] = [];
    let start = 0;
    for (let end = frameEnd(this.#rest, 0); end !== undefined; end = frameEnd(this.#rest, start)) {
      frames.push(this.#rest.subarray(start, end));
      start = end;
    }
    this.#rest = this.#rest.subarray(start);
    return frames;
  }
}

const newline = "\r\n";
const marks = { bulk: 0x24, array: 0x2a };

/** Where the frame that begins at `start` ends; undefined when it is not whole yet. */
function frameEnd(bytes: Buffer, start: number): number | undefined {
  const lineEnd = bytes.indexOf(newline, start);
  if (lineEnd < 0) return undefined;
  const next = lineEnd + newline.length;
  const mark = bytes[start];
  if (mark !== marks.bulk && mark !== marks.array) return next;
  const size = Number(bytes.toString("latin1", start + 1, lineEnd));
  if (size < 0) return next;
  if (mark === marks.bulk)
    return next + size + newline.length <= bytes.length ? next + size + newline.length : undefined;
  let end: number | undefined = next;
  for (let i = 0; i < size && end !== undefined; i++) end = frameEnd(bytes, end);
  return end;
}

/** The first parts of a command, as text. */
export function commandOf(frame: Buffer, partsMax = 5): string[] {
  const parts: string[] = [];
  let at = frame.indexOf(newline) + newline.length;
  while (at < frame.length && parts.length < partsMax) {
    const lineEnd = frame.indexOf(newline, at);
    const start = lineEnd + newline.length;
    const size = Number(frame.toString("latin1", at + 1, lineEnd));
    parts.push(frame.toString("latin1", start, start + size));
    at = start + size + newline.length;
  }
  return parts;
}
