import type { Msg } from "nats";
import { TributaryError } from "../contracts/errors.ts";
import { ask, type Question, UnansweredError } from "./ask.ts";
import { type Client, clientOf, connected, reconnection } from "./client.ts";
import type { Connection } from "./contract.ts";

/** Error codes of the JetStream API that somebody here decides by. */
export const apiErrors = {
  consumerNotFound: 10014,
  streamNotFound: 10059,
  messageNotFound: 10037,
  deleteFailed: 10057,
  streamFull: 10077,
  /** Server, account memory, account storage: as full as a full stream. */
  resourcesExceeded: [10023, 10028, 10047],
  messageTooLarge: 10054,
  wrongStream: 10060,
  /** The second is what replicated streams answer from 2.11 on. */
  wrongLastSequence: [10071, 10164],
} as const;

/** What the JetStream API answered instead of a result. */
export class ApiError extends Error {
  readonly status: number;
  readonly errorCode: number;

  constructor(answer: { readonly code?: number; readonly err_code?: number; readonly description?: string }) {
    super(answer.description ?? "no description");
    this.name = "ApiError";
    this.status = answer.code ?? 0;
    this.errorCode = answer.err_code ?? 0;
  }
}

const timeoutMs = 5_000;

/**
 * One call of the JetStream API, `$JS.API.<verb>`, with JSON both ways.
 * @throws ApiError what the API refused; TributaryError UNAVAILABLE, BAD_CONFIG (no permission)
 */
export async function callApi<T>(connection: Connection, verb: string, body?: unknown): Promise<T> {
  const data = body === undefined ? new Uint8Array() : new TextEncoder().encode(JSON.stringify(body));
  const reply = await askUntilHeard(connection, `$JS.API.${verb}`, data);
  const answer: { error?: ConstructorParameters<typeof ApiError>[0] } = reply.json();
  if (answer.error !== undefined) throw new ApiError(answer.error);
  return answer as T;
}

/** Every call here may be made twice, so one that a lost connection swallowed is made again. */
async function askUntilHeard(connection: Connection, subject: string, data: Uint8Array): Promise<Msg> {
  const client = clientOf(connection);
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    await connected(client, deadline - performance.now());
    const reply = await askOnce(client, { subject, data, timeoutMs: Math.max(1, deadline - performance.now()) });
    if (reply !== undefined) return reply;
  }
}

/** Undefined: the connection was lost in between and is there again. */
async function askOnce(client: Client, question: Question): Promise<Msg | undefined> {
  const lost = reconnection(client);
  const reply = ask(client, question).catch((error) => {
    throw brokerError(error, client.user, question.subject);
  });
  reply.catch(() => undefined);
  try {
    return await Promise.race([reply, lost.done.then(() => undefined)]);
  } finally {
    lost.forget();
  }
}

/** Why there is no answer, in our words. */
export function brokerError(error: unknown, user: string, subject: string): TributaryError {
  if (!(error instanceof UnansweredError)) {
    const why = error instanceof Error ? error.message : String(error);
    return new TributaryError("UNAVAILABLE", `cannot ask ${subject}: ${why}`);
  }
  switch (error.why) {
    case "nobody":
      return new TributaryError("UNAVAILABLE", `nobody answers on ${subject}`, { cause: error });
    case "late":
      return new TributaryError("UNAVAILABLE", `no answer in time on ${subject}`);
    case "closed":
      return new TributaryError("UNAVAILABLE", `cannot ask ${subject}: the connection to nats-server is closed`);
    case "refused": {
      const why = `user "${user}" may not publish to ${subject}; is NATS_URL the right user?`;
      return new TributaryError("BAD_CONFIG", why);
    }
  }
}

/** The call, with what the API refuses as a TributaryError: an absent stream or consumer is MISSING_RESOURCE naming it. */
export async function callApiOn<T>(connection: Connection, verb: string, resource: string, body?: unknown): Promise<T> {
  try {
    return await callApi<T>(connection, verb, body);
  } catch (error) {
    throw refusal(error, resource);
  }
}

/** An ApiError about `resource` as a TributaryError; anything else as it is. */
export function refusal(error: unknown, resource: string): unknown {
  if (!(error instanceof ApiError)) return error;
  const isMissing = error.errorCode === apiErrors.streamNotFound || error.errorCode === apiErrors.consumerNotFound;
  if (isMissing) {
    return new TributaryError("MISSING_RESOURCE", `${resource} does not exist; run \`tributary admin ensure\``);
  }
  const code = error.status === 400 ? "INTERNAL" : "UNAVAILABLE";
  return new TributaryError(code, `${resource}: ${error.message} (${error.errorCode})`);
}
