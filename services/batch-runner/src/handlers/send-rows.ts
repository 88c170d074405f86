import { encodeChunk } from "@tributary/shared/codec/chunk-codec";
import type { ConfirmationChunk } from "@tributary/shared/contracts/chunk";
import { subjects } from "@tributary/shared/contracts/subjects";
import type { PublishAck } from "@tributary/shared/messaging/contract";
import type { BoundedSender } from "../adapters/bounded-sender.ts";
import { createDeltaChunker, type DeltaChunk, type DeltaRow } from "../core/delta-chunks.ts";
import type { EngineBatch } from "../core/engine.ts";
import type { RunManifest } from "../core/run-manifest.ts";
import { type RunContext, step } from "./run-ports.ts";

/** Chunks that may wait for their acknowledgement: at most 8 MiB at the size aimed at. */
export const inFlightMax = 64;

export interface RowSending {
  readonly sender: BoundedSender;
  readonly query: string;
  readonly rowsOf: (batch: EngineBatch) => Iterable<DeltaRow>;
  /** Begins each message's id: whatever is sent under the same one twice must be the same rows. */
  readonly id: string;
  /** Called with the rows that are on their way so far. */
  readonly onSent: (rows: number) => void;
  readonly onAck?: (partition: number, ack: PublishAck) => void;
}

/** A query's rows in chunks of the manifest's view; resolves when the last is on its way. */
export async function sendRows(context: RunContext, manifest: RunManifest, sending: RowSending): Promise<void> {
  const { sender, id, onSent, onAck } = sending;
  const chunker = createDeltaChunker(manifest, context.instance);
  const send = async (closed: DeltaChunk | undefined): Promise<void> => {
    if (closed === undefined) return;
    const { chunk, ordinal, firstRow } = closed;
    const message = {
      subject: subjects.rows("batch", chunk.partition, manifest.view),
      data: encodeChunk(chunk),
      // The rows stand in the id: were chunks cut otherwise by a later build, the broker would not take one for another.
      id: `${id}:${ordinal}:${firstRow}+${chunk.keys.length}`,
    };
    await sender.send(message, (ack) => onAck?.(chunk.partition, ack));
    onSent(firstRow + chunk.keys.length);
    await step(context, "chunk");
  };
  for await (const batch of context.engine.stream(sending.query)) {
    for (const row of sending.rowsOf(batch)) await send(chunker.add(row));
  }
  await send(chunker.finish());
}

export type Said = Pick<ConfirmationChunk, "confirmedAtMs" | "run" | "whole" | "since">;

/** One confirmation of the view, on its way. */
export async function sendConfirmation(
  context: RunContext,
  { view, viewVersion, catalogVersion }: Pick<RunManifest, "view" | "viewVersion" | "catalogVersion">,
  { sender, partition, id, said }: SendingConfirmation,
): Promise<void> {
  const header = { kind: "confirm", lane: "batch", view, viewVersion, catalogVersion } as const;
  const chunk: ConfirmationChunk = { ...header, partition, producer: context.instance, ...said };
  await sender.send({ subject: subjects.rows("batch", partition, view), data: encodeChunk(chunk), id });
  await step(context, "confirm");
}

export interface SendingConfirmation {
  readonly sender: BoundedSender;
  readonly partition: number;
  readonly id: string;
  readonly said: Said;
}
