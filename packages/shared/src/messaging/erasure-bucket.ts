import { type Erasure, type ErasureReceipt, erasureSchema, receiptKey } from "../contracts/erasure.ts";
import { TributaryError } from "../contracts/errors.ts";
import type { Bucket, DeliveredMessage } from "./contract.ts";

/** What a message of the stream behind bucket TRIB_ERASURES says (see contracts/erasure.ts). */
export type ErasureEntry =
  /** Undefined: not of a form that this build reads. */
  | { readonly kind: "erasure"; readonly id: string; readonly erasure: Erasure | undefined }
  | { readonly kind: "receipt"; readonly id: string; readonly service: string }
  | { readonly kind: "lift"; readonly id: string };

/** Undefined of what is none of these: an entry taken away, or of a kind that a later build writes. */
export function readErasureEntry({ subject, data, headers }: DeliveredMessage): ErasureEntry | undefined {
  const [kind, id = "", service = ""] = subject.split(".").slice(2);
  if ("KV-Operation" in headers) return undefined;
  switch (kind) {
    case "erasure":
      return { kind, id, erasure: erasureOf(data) };
    case "receipt":
      return { kind, id, service };
    case "lift":
      return { kind, id };
    default:
      return undefined;
  }
}

function erasureOf(bytes: Uint8Array): Erasure | undefined {
  try {
    return erasureSchema.safeParse(JSON.parse(new TextDecoder().decode(bytes))).data;
  } catch {
    return undefined;
  }
}

/** Says that a service has carried an erasure out; another instance may have said so before. @throws TributaryError UNAVAILABLE, UNKNOWN_OUTCOME, STREAM_FULL */
export async function giveReceipt(
  bucket: Bucket,
  id: string,
  { service, instance }: Pick<ErasureReceipt, "service" | "instance">,
): Promise<void> {
  const receipt: ErasureReceipt = { service, instance, atMs: Date.now() };
  const body = new TextEncoder().encode(JSON.stringify(receipt));
  await bucket.create(receiptKey(id, service), body).catch((error: unknown) => {
    if (!(error instanceof TributaryError) || error.code !== "CATALOG_CONFLICT") throw error;
  });
}
