/**
 * Every size that crosses a process boundary, in one place.
 * Bytes unless the name says otherwise. A limit is refused with `LIMIT_EXCEEDED`, which names it.
 */
export const limits = {
  keyBytesMax: 512,
  /** Of a message: one event or an array of them. */
  eventBytesMax: 256 * 1024,
  eventsPerMessageMax: 10_000,
  chunkBytesTarget: 128 * 1024,
  chunkBytesMax: 512 * 1024,
  chunkRowsMax: 4_096,
  scheduleStepsMax: 8,
  readEntitiesMax: 2_000,
  writeRowsMax: 1_000,
  writeBytesMax: 256 * 1024,
  stringBytesMax: 4 * 1024,
  msgpackDepthMax: 16,
  msgpackElementsMax: 1_000_000,
  featuresPerViewMax: 1_000,
  /** Ids of counted events that a stream view remembers of a key; beyond it the one with the least event time is forgotten. */
  eventIdsPerKeyMax: 4_096,
  windowsPerViewMax: 32,
  /** Direct views over one view, in one use of it. */
  layersMax: 4,
  /** A CEL expression: its text, the parts and the depth of its syntax, and the elements of a list or map that it is given or names. */
  expressionBytesMax: 2_048,
  expressionNodesMax: 500,
  expressionDepthMax: 32,
  expressionElementsMax: 1_000,
  /** What an on-demand feature gives, as JSON. */
  expressionResultBytesMax: 64 * 1024,
} as const;

/** An event time further ahead of the clock than this is refused at the edges (V7). */
export const maxClockSkewMs = 60_000;
