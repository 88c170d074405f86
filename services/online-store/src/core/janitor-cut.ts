/** How full a row stream may be before anything is taken from it, and how full it is left. */
const fullShare = 0.5;
const leftShare = 0.4;

export interface StreamFullness {
  readonly bytes: number;
  /** -1: no limit. */
  readonly maxBytes: number;
  readonly firstSequence: number;
  readonly messages: number;
}

/**
 * The sequence below which the stream is as full as it is to be left; undefined while it is not half full. What stays can be read
 * again when Redis loses data, so no more is taken than must be.
 */
export function wantedCut({ bytes, maxBytes, firstSequence, messages }: StreamFullness): number | undefined {
  if (maxBytes <= 0 || bytes <= maxBytes * fullShare) return undefined;
  const share = (bytes - maxBytes * leftShare) / bytes;
  return firstSequence + Math.ceil(messages * share);
}
