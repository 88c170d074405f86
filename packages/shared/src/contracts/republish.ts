import { z } from "zod";

/**
 * Republish, the one repair (R5): a lane sends a view again from what it keeps itself, every cell with its original version,
 * and behind a partition's rows a confirmation with `whole` (see chunk.ts), which lifts what holds the view back there.
 * Equal versions are no-ops, so it may be asked for at any time and any number of times.
 */

/** `batch.republish`, from the published snapshot. Accepted at once; follow it in `batch.status` by its request id. */
export const batchRepublishSchema = z.strictObject({ view: z.string() });
export type BatchRepublishRequest = z.infer<typeof batchRepublishSchema>;

export interface BatchRepublishReply {
  readonly accepted: true;
  readonly request: string;
  readonly view: string;
}

/**
 * `stream.republish.<pNN>`, from window state; only the partition's owner answers, once all is acknowledged. Asked again with
 * the same id it joins what is going on.
 */
export const streamRepublishSchema = z.strictObject({
  id: z.string().regex(/^[A-Za-z0-9-]{4,64}$/),
  /** Absent: every stream view. */
  view: z.string().optional(),
});
export type StreamRepublishRequest = z.infer<typeof streamRepublishSchema>;

export interface StreamRepublishReply {
  readonly partition: number;
  readonly fence: number;
  /** Rows by view, for every view that was sent whole. */
  readonly rows: Readonly<Record<string, number>>;
}
