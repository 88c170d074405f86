import type { Msg } from "nats";
import { TributaryError } from "../contracts/errors.ts";
import { ask, UnansweredError } from "./ask.ts";
import { clientOf, connected } from "./client.ts";
import type { Connection, RequestOptions } from "./contract.ts";
import { fromHeaderBlock, headerBytes, toHeaderBlock } from "./header-block.ts";
import { brokerError } from "./jetstream-api.ts";
import { deadlineHeader, fromErrorHeaders } from "./service-errors.ts";

const timeoutMsDefault = 5_000;
const retryPauseMsMax = 50;

/**
 * One request and its reply's bytes. Tried once more, after a random pause, when nobody listened or the instance was at
 * its bound: both mean that nothing was done. Default time-out 5,000 ms.
 * @throws TributaryError the endpoint's own; UNAVAILABLE nobody listens; DEADLINE; LIMIT_EXCEEDED; BAD_CONFIG no permission
 */
export async function request(
  connection: Connection,
  subject: string,
  data: Uint8Array,
  options: RequestOptions = {},
): Promise<Uint8Array> {
  const deadlineMs = Date.now() + (options.timeoutMs ?? timeoutMsDefault);
  const headers = { ...options.headers, [deadlineHeader]: String(deadlineMs) };
  const bytes = data.length + headerBytes(headers);
  if (bytes > connection.payloadMax) {
    const limit = `the broker's limit of ${connection.payloadMax} bytes`;
    throw new TributaryError("LIMIT_EXCEEDED", `${subject}: a request of ${bytes} bytes is above ${limit}`);
  }
  const call = { connection, subject, data, headers, deadlineMs };
  try {
    return await attempt(call);
  } catch (error) {
    const pauseMs = Math.random() * retryPauseMsMax;
    if (!isUntouched(error) || Date.now() + pauseMs + 1 >= deadlineMs) throw error;
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
    return attempt(call);
  }
}

interface Call {
  readonly connection: Connection;
  readonly subject: string;
  readonly data: Uint8Array;
  readonly headers: Readonly<Record<string, string>>;
  readonly deadlineMs: number;
}

async function attempt(call: Call): Promise<Uint8Array> {
  const reply = await send(call);
  const error = fromErrorHeaders(fromHeaderBlock(reply.headers), call.subject);
  if (error !== undefined) throw error;
  return reply.data;
}

async function send({ connection, subject, data, headers, deadlineMs }: Call): Promise<Msg> {
  const client = clientOf(connection);
  await connected(client, deadlineMs - Date.now());
  const timeoutMs = Math.max(1, deadlineMs - Date.now());
  try {
    return await ask(client, { subject, data, headers: toHeaderBlock(headers), timeoutMs });
  } catch (error) {
    if (error instanceof UnansweredError && error.why === "late") {
      throw new TributaryError("DEADLINE", `no answer in time on ${subject}`, { cause: error });
    }
    throw brokerError(error, client.user, subject);
  }
}

/** Nobody listened, or the gate was shut. An endpoint's own UNAVAILABLE says nothing about what it has done. */
function isUntouched(error: unknown): boolean {
  if (!(error instanceof TributaryError)) return false;
  return error.code === "OVERLOADED" || (error.cause instanceof UnansweredError && error.cause.why === "nobody");
}
