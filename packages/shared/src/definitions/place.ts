import { fileURLToPath } from "node:url";

/**
 * Where a definition stands in its author's code. It hangs on the definition under a symbol of its own that nothing copies
 * or prints, so it reaches neither the catalog nor a fingerprint, and two copies of this package read each other's.
 * The stack is kept as the engine gives it and read only when there is something to tell.
 */
const madeAt = Symbol.for("tributary.madeAt");

export interface Place {
  /** Absolute path. */
  readonly file: string;
  /** Undefined where the loader gave no source map. */
  readonly line?: number;
}

interface Stack {
  readonly stack?: string;
}

/** The stack at the call of `maker`, without `maker` and what it called. */
export function stackBehind(maker: (...given: never[]) => unknown): Stack {
  const holder: Stack = {};
  Error.captureStackTrace(holder, maker);
  return holder;
}

/** The definition, which from now on knows where `maker` was called. */
export function placed<D extends object>(definition: D, maker: (...given: never[]) => unknown): D {
  return Object.defineProperty(definition, madeAt, { value: stackBehind(maker) });
}

export function placeOf(definition: object): Place | undefined {
  return placeInStack((definition as { readonly [madeAt]?: Stack })[madeAt]?.stack);
}

/** The first frame of a stack that lies in a file. */
export function placeInStack(stack: string | undefined): Place | undefined {
  for (const line of stack?.split("\n") ?? []) {
    const place = /^\s+at /.test(line) ? placeInFrame(line) : undefined;
    if (place !== undefined) return place;
  }
  return undefined;
}

function placeInFrame(frame: string): Place | undefined {
  // A CommonJS module that was compiled on loading: its lines are not those of the file.
  const compiled = /[?&]filePath=([^&:)]+)/.exec(frame);
  if (compiled) return { file: withoutQuery(decodeURIComponent(compiled[1] as string)) };
  const found = /(?:\(|at )(?:async )?((?:file:\/\/|\/|[A-Za-z]:[\\/]).+?):(\d+):\d+\)?$/.exec(frame);
  if (!found || frame.includes("node:internal")) return undefined;
  const [, address = "", line] = found;
  const path = withoutQuery(address);
  return { file: path.startsWith("file://") ? fileURLToPath(path) : path, line: Number(line) };
}

function withoutQuery(address: string): string {
  return address.replace(/\?.*$/, "");
}
