import { isErrorCode, TributaryError } from "../contracts/errors.ts";
import type { Headers } from "./contract.ts";

/** How an error travels in a reply: the micro protocol's two headers for any client, ours for the exact code. */
const statusHeader = "Nats-Service-Error-Code";
const messageHeader = "Nats-Service-Error";
const codeHeader = "Tributary-Error";

/** Requests: real epoch ms after which nobody waits; who asks, as a trusted front says. */
export const deadlineHeader = "Tributary-Deadline-Ms";
export const principalHeader = "Tributary-Principal";

export function toErrorHeaders(error: TributaryError): Headers {
  return {
    [statusHeader]: String(error.httpStatus),
    [messageHeader]: error.message,
    [codeHeader]: error.code,
  };
}

/** The error of a reply; undefined: it is none. */
export function fromErrorHeaders(headers: Headers, subject: string): TributaryError | undefined {
  const status = headers[statusHeader];
  if (status === undefined) return undefined;
  const code = headers[codeHeader] ?? "";
  return new TributaryError(isErrorCode(code) ? code : "INTERNAL", headers[messageHeader] ?? `${subject}: ${status}`);
}
