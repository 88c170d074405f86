import type { RequestRow } from "@tributary/client/tributary";
import type { SectionWrite } from "@tributary/online-store/core/cell-merge";
import { shapeOf } from "@tributary/online-store/core/shape";
import type { Catalog } from "@tributary/shared/contracts/catalog";
import type { FeatureValue } from "@tributary/shared/contracts/chunk";
import { compileDefinitions } from "@tributary/shared/definitions/compile";

/** What a store holds, and what is asked of it. */
export interface Dataset {
  readonly name: string;
  readonly catalog: Catalog;
  records(): Iterable<BenchRecord>;
  readonly cases: readonly ReadCase[];
}

export interface BenchRecord {
  readonly entity: string;
  readonly key: string;
  readonly writes: readonly SectionWrite[];
}

export interface ReadCase {
  /** `100x50`: entities × features. */
  readonly name: string;
  readonly service: string;
  readonly features: number;
  /** The rows of one request. */
  readonly rows: (random: () => number) => readonly RequestRow[];
  /** Rates of its open loops, reads a second. */
  readonly perSecond: readonly number[];
  /** Workers of its closed loops. */
  readonly workers: readonly number[];
}

export function catalogOf(definitions: readonly unknown[]): Catalog {
  return { ...compileDefinitions(definitions), version: 1, fingerprint: "bench" };
}

/** Cells of one view, all of one version, as a lane would have written them. */
export function writeOf(view: string, values: Readonly<Record<string, FeatureValue>>, eventTime: number): SectionWrite {
  const version = { eventTime, incarnation: 1_700_000_000_000, sequence: 1, minor: 0 };
  const cells = Object.entries(values).map(([feature, value]) => ({ feature, value, version }));
  return { shape: shapeOf(view, 1, Object.keys(values)), cells };
}
