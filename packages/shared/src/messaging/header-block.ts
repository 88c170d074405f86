import { headers, type MsgHdrs } from "nats";
import type { Headers } from "./contract.ts";

/** A header block, or none: an empty one would cost bytes in the stream. */
export function toHeaderBlock(values: Headers): MsgHdrs | undefined {
  const entries = Object.entries(values);
  if (entries.length === 0) return undefined;
  const block = headers();
  for (const [name, value] of entries) block.set(name, oneLine(value));
  return block;
}

/** The first value of each header. */
export function fromHeaderBlock(block: MsgHdrs | undefined): Headers {
  if (block === undefined) return {};
  return Object.fromEntries([...block].map(([name, values]) => [name, values[0] ?? ""]));
}

/** Line breaks would end the header; a long text would eat the payload limit. */
function oneLine(value: string): string {
  return value.replace(/[\r\n]+/g, " ").slice(0, 4_096);
}

/** Bytes that these headers take on the wire, rounded up. */
export function headerBytes(values: Headers): number {
  return Object.entries(values).reduce((sum, [name, value]) => sum + name.length + 3 * value.length + 4, 16);
}
