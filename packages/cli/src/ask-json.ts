import { decodePayload, encodePayload } from "@tributary/shared/codec/json-or-msgpack";
import type { Connection } from "@tributary/shared/messaging/contract";
import { request } from "@tributary/shared/messaging/request";

/** A JSON request and its reply, of which `T` names the contract. */
export async function askJson<T>(connection: Connection, subject: string, question: object = {}): Promise<T> {
  const reply = await request(connection, subject, encodePayload(question, "json"), { timeoutMs: 3_000 });
  return decodePayload(reply).value as T;
}
