import { TributaryError } from "@tributary/shared/contracts/errors";

/** No reply of ours comes near it; what does is not ours. */
const bodyBytesMax = 64 * 1024 * 1024;

/** A response's bytes. @throws TributaryError LIMIT_EXCEEDED above 64 MiB, and what reading throws */
export async function readBody(response: Response): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += chunk.length;
    if (bytes > bodyBytesMax) throw new TributaryError("LIMIT_EXCEEDED", `a reply of more than ${bodyBytesMax} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
