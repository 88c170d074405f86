import type { Connection } from "./contract.ts";
import { ApiError, apiErrors, callApi, callApiOn, refusal } from "./jetstream-api.ts";

/** How full a stream is. Bytes; `maxBytes` -1 = no limit. */
export interface StreamFill {
  readonly bytes: number;
  readonly maxBytes: number;
}

/** @throws TributaryError MISSING_RESOURCE naming the stream; UNAVAILABLE */
export async function readStreamFill(connection: Connection, stream: string): Promise<StreamFill> {
  interface FillInfo {
    readonly config: { readonly max_bytes?: number };
    readonly state: { readonly bytes: number };
  }
  const { config, state } = await callApiOn<FillInfo>(connection, `STREAM.INFO.${stream}`, `stream ${stream}`);
  return { bytes: state.bytes, maxBytes: config.max_bytes ?? -1 };
}

/**
 * Removes one message; its bytes stay on disk until the broker compacts them. A purge would be one call for all, but below
 * server 2.9.15 it also forgets which later messages are delivered and not acknowledged. False: it was gone already.
 * @throws TributaryError MISSING_RESOURCE naming the stream; UNAVAILABLE
 */
export async function removeStoredMessage(connection: Connection, stream: string, sequence: number): Promise<boolean> {
  try {
    await callApi(connection, `STREAM.MSG.DELETE.${stream}`, { seq: sequence, no_erase: true });
    return true;
  } catch (error) {
    // Servers tell of a message that is not there in two ways.
    const isGone = error instanceof ApiError && (error.status === 404 || error.errorCode === apiErrors.deleteFailed);
    if (isGone) return false;
    throw refusal(error, `stream ${stream}`);
  }
}
