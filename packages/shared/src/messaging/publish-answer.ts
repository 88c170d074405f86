import type { Msg } from "nats";
import { TributaryError } from "../contracts/errors.ts";
import type { PublishAck } from "./contract.ts";
import { apiErrors } from "./jetstream-api.ts";

/**
 * The broker's answer to a publish. The client library reports "stream full" and "no responders" alike, as 503; here they
 * are told apart: a full stream has refused the message, an absent one has not seen it.
 */
export type PublishAnswer =
  | { readonly kind: "stored"; readonly ack: PublishAck }
  | { readonly kind: "full"; readonly why: string }
  /** No stream listens, or JetStream is not up yet. */
  | { readonly kind: "absent" }
  | { readonly kind: "refused"; readonly error: TributaryError };

interface AckJson {
  readonly stream?: string;
  readonly seq?: number;
  readonly duplicate?: boolean;
  readonly error?: { readonly code: number; readonly err_code?: number; readonly description?: string };
}

export function readPublishAnswer(message: Msg, subject: string): PublishAnswer {
  if (message.headers?.code === 503 && message.data.length === 0) return { kind: "absent" };
  const json = parse(message);
  if (json?.error !== undefined) return fromError(json.error, subject);
  if (json?.stream === undefined || json.seq === undefined) {
    return { kind: "refused", error: new TributaryError("INTERNAL", `${subject}: not a JetStream acknowledgement`) };
  }
  return { kind: "stored", ack: { stream: json.stream, sequence: json.seq, duplicate: json.duplicate === true } };
}

function parse(message: Msg): AckJson | undefined {
  try {
    return message.json<AckJson>();
  } catch {
    return undefined;
  }
}

function fromError(error: NonNullable<AckJson["error"]>, subject: string): PublishAnswer {
  const code = error.err_code ?? 0;
  const why = `${error.description ?? "no description"} (${code})`;
  if (code === apiErrors.streamFull || among(apiErrors.resourcesExceeded, code)) return { kind: "full", why };
  if (error.code === 503) return { kind: "absent" };
  return { kind: "refused", error: new TributaryError(refusalCode(code), `${subject}: ${why}`) };
}

function refusalCode(code: number): "CATALOG_CONFLICT" | "LIMIT_EXCEEDED" | "INTERNAL" {
  if (among(apiErrors.wrongLastSequence, code)) return "CATALOG_CONFLICT";
  return code === apiErrors.messageTooLarge ? "LIMIT_EXCEEDED" : "INTERNAL";
}

function among(codes: readonly number[], code: number): boolean {
  return codes.includes(code);
}
