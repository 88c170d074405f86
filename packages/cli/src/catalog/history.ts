import type { CatalogBody } from "@tributary/shared/contracts/catalog";
import type { Change } from "./change.ts";
import type { Past } from "./past.ts";

/** Every version that was ever recorded. PostgreSQL knows who and why; without it, KV still has what each version said. */
export interface History {
  /** Newest first, at most so many. */
  list(max: number): Promise<readonly VersionEntry[]>;
  /** @throws TributaryError NOT_FOUND, CORRUPT, UNSUPPORTED_FORMAT */
  read(version: number): Promise<RecordedVersion>;
  /** What all versions that were current left behind. */
  past(): Promise<Past>;
}

export interface VersionEntry {
  readonly version: number;
  readonly fingerprint: string;
  /** Epoch ms. */
  readonly recordedAtMs: number;
  /** null: not known. */
  readonly author: string | null;
  readonly message: string | null;
  readonly state: VersionState;
}

/** `neverCurrent`: its apply lost a race, or ended before it swapped the pointer. Its number is not used again. */
export type VersionState = "current" | "earlier" | "neverCurrent";

export interface RecordedVersion extends VersionEntry {
  readonly body: CatalogBody;
  /** What it changed in the version before; null: not recorded. */
  readonly diff: readonly Change[] | null;
  /** The version it was planned against; 0: none; null: not recorded. */
  readonly follows: number | null;
}
