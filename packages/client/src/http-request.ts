import { setTimeout as pause } from "node:timers/promises";
import type { ErrorCode } from "@tributary/shared/contracts/errors";
import { contentTypes } from "@tributary/shared/runtime/http-answer";
import { type Attempt, judgeFailure, judgeResponse } from "./http-attempt.ts";
import { readBody } from "./http-body.ts";

export interface HttpCall {
  readonly url: URL;
  /** Named in errors. */
  readonly service: "store" | "gateway";
  readonly headers: Readonly<Record<string, string>>;
  /** Msgpack. */
  readonly body: Uint8Array;
  readonly timeoutMs: number;
  /** Doing it twice is doing it once. */
  readonly isRepeatable: boolean;
}

const retryPauseMsMax = 50;

/**
 * One POST and its reply's bytes. Tried once more, after the `Retry-After` of the answer or a random pause, when nothing was done,
 * or when doing it twice does no harm, and only if the pause ends before the deadline.
 * @throws TributaryError the service's own; UNAVAILABLE; DEADLINE; UNKNOWN_OUTCOME it may have happened; BAD_CONFIG wrong URL or
 *   refused credentials
 */
export async function post(call: HttpCall): Promise<Uint8Array> {
  const deadline = performance.now() + call.timeoutMs;
  const first = await attempt(call, call.timeoutMs);
  if (first.kind === "reply") return first.bytes;
  const pauseMs = first.retryAfterMs ?? Math.random() * retryPauseMsMax;
  const leftMs = deadline - performance.now() - pauseMs;
  if (!isWorthRepeating(first, call) || leftMs < 1) throw first.error;
  await pause(pauseMs);
  const second = await attempt(call, leftMs);
  if (second.kind === "reply") return second.bytes;
  throw second.error;
}

/** What passes by itself, and soon. */
const passing: ReadonlySet<ErrorCode> = new Set(["OVERLOADED", "STREAM_FULL", "UNAVAILABLE", "STALE_CATALOG"]);

function isWorthRepeating({ error, isUntouched }: Attempt & { readonly kind: "failed" }, call: HttpCall): boolean {
  if (error.code === "UNKNOWN_OUTCOME") return call.isRepeatable;
  return passing.has(error.code) && (isUntouched || call.isRepeatable);
}

async function attempt(call: HttpCall, timeoutMs: number): Promise<Attempt> {
  try {
    const response = await fetch(call.url, {
      method: "POST",
      // The types of `fetch` want bytes of an ArrayBuffer of their own.
      body: call.body as Uint8Array<ArrayBuffer>,
      headers: { ...call.headers, "content-type": contentTypes.msgpack, accept: contentTypes.msgpack },
      redirect: "manual",
      signal: AbortSignal.timeout(Math.max(1, Math.floor(timeoutMs))),
    });
    return judgeResponse(call, response, await readBody(response));
  } catch (thrown) {
    return judgeFailure(call, thrown);
  }
}
