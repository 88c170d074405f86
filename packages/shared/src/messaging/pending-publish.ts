import type { MsgHdrs } from "nats";
import { TributaryError } from "../contracts/errors.ts";
import type { PublishAck } from "./contract.ts";
import type { PublishAnswer } from "./publish-answer.ts";

/** One message between `publish` and its outcome. Times are monotonic ms. */
export interface PendingPublish {
  readonly token: string;
  readonly subject: string;
  readonly data: Uint8Array;
  readonly headers: MsgHdrs | undefined;
  readonly bytes: number;
  readonly deadlineMs: number;
  readonly resolve: (ack: PublishAck) => void;
  readonly reject: (error: TributaryError) => void;
  readonly calledAt: number;
  /** Undefined while it waits for room. */
  sentAt: number | undefined;
  nextSendAt: number;
  sends: number;
  /** The last send has no answer yet. */
  isAwaiting: boolean;
  /** A send whose answer never came: the message may be stored. */
  isDoubtful: boolean;
  last: "none" | "full" | "absent";
}

const refusedPauseMs = 100;
const refusedPauseMsMax = 2_000;
const silentPauseMsMax = 10_000;

export function noteSent(item: PendingPublish, now: number, ackTimeoutMs: number): void {
  if (item.isAwaiting) item.isDoubtful = true;
  item.sentAt ??= now;
  item.sends += 1;
  item.isAwaiting = true;
  item.nextSendAt = now + Math.min(ackTimeoutMs * 1.5 ** (item.sends - 1), Math.max(silentPauseMsMax, ackTimeoutMs));
}

/** A full stream looks for the id first, so its refusal proves that no earlier send was stored. */
export function noteRefused(item: PendingPublish, answer: PublishAnswer["kind"], now: number): void {
  item.isAwaiting = false;
  if (answer === "full") item.isDoubtful = false;
  item.last = answer === "full" ? "full" : "absent";
  item.nextSendAt = now + Math.min(refusedPauseMs * 2 ** (item.sends - 1), refusedPauseMsMax);
}

/** What to tell the caller of a message whose time is over. */
export function overdueError(item: PendingPublish, stream: string): TributaryError {
  const where = `stream ${stream} (subject ${item.subject})`;
  if (item.isAwaiting || item.isDoubtful) {
    return new TributaryError("UNKNOWN_OUTCOME", `${where} did not acknowledge within ${item.deadlineMs} ms`);
  }
  if (item.last === "full") return new TributaryError("STREAM_FULL", `${where} is full`);
  if (item.last === "absent") {
    return new TributaryError("UNAVAILABLE", `nothing listens: ${where} does not exist or is not up`);
  }
  return new TributaryError("UNAVAILABLE", `${where}: not sent within ${item.deadlineMs} ms, the broker takes nothing`);
}
