import { type AdmittedRow, admitRows, planWrite } from "@tributary/shared/admission/admission";
import { chunkRows } from "@tributary/shared/admission/chunking";
import { decodeWrite } from "@tributary/shared/admission/decode-write";
import { type PublishedChunk, toReply } from "@tributary/shared/admission/outcomes";
import { requestFingerprint } from "@tributary/shared/admission/request-fingerprint";
import type { Catalog } from "@tributary/shared/contracts/catalog";
import { ordinaryClock } from "@tributary/shared/contracts/clock";
import { TributaryError } from "@tributary/shared/contracts/errors";
import type { WriteReply, WriteRequest } from "@tributary/shared/contracts/write";
import type { MemoryCells } from "./memory-cells.ts";
import type { MemoryStream } from "./memory-stream.ts";

export interface WriteWorld {
  readonly catalog: Catalog;
  readonly cells: MemoryCells;
  readonly rows: MemoryStream;
  readonly nowMs: number;
}

interface Remembered {
  readonly fingerprint: string;
  readonly reply: WriteReply;
}

/** The gateway without a broker: what it admits is stored and readable at once. */
export class MemoryGateway {
  readonly #remembered = new Map<string, Remembered>();

  /** @throws TributaryError as the gateway does for what concerns the whole request */
  write(world: WriteWorld, body: Uint8Array): WriteReply {
    const { request } = decodeWrite(body);
    const { idempotencyKey } = request;
    return idempotencyKey === undefined ? writeNow(world, request) : this.#writeOnce(world, request, idempotencyKey);
  }

  /** D2: the first outcome stays, and with it the instant that stands for event times which the rows do not carry. */
  #writeOnce(world: WriteWorld, request: WriteRequest, idempotencyKey: string): WriteReply {
    const fingerprint = requestFingerprint(request);
    const held = this.#remembered.get(idempotencyKey);
    if (held?.fingerprint === fingerprint) return held.reply;
    if (held) {
      throw new TributaryError("BAD_VALUE", "this idempotency key was used for another request; take a new key");
    }
    const rows = request.rows.map((row) => ({ ...row, eventTime: row.eventTime ?? world.nowMs }));
    const reply = writeNow(world, { ...request, rows });
    // Of what was refused whole nothing is remembered: a mended request may come under the same key.
    if (reply.accepted > 0) this.#remembered.set(idempotencyKey, { fingerprint, reply });
    return reply;
  }
}

function writeNow({ catalog, cells, rows: stream, nowMs }: WriteWorld, request: WriteRequest): WriteReply {
  const plan = planWrite(catalog, request.view);
  const { admitted, refused } = admitRows(plan, request.rows, nowMs);
  const { incarnation } = stream;
  const published = chunkRows(plan, admitted, { producer: "test", clock: ordinaryClock }).map(
    (chunk): PublishedChunk => {
      const sequence = stream.next();
      chunk.rows.forEach((row: AdmittedRow, minor) => {
        cells.merge(request.view, row, { eventTime: row.eventTime ?? nowMs, incarnation, sequence, minor });
      });
      return { chunk, result: { kind: "stored", incarnation, sequence } };
    },
  );
  return toReply(refused, published);
}
