import { limits } from "@tributary/shared/contracts/limits";

/** How many rows a page of one kind of read has. */
export interface PageSize {
  readonly rows: number;
  /** A read ended well that had a page of so many rows. */
  fitted(rows: number): void;
}

/** Kinds of reads that one program asks for; above it the oldest is forgotten. */
const kindsMax = 100;
/** After so many reads twice the rows are tried: what was too large was perhaps a few rows' fault. */
const readsUntilLarger = 64;

/**
 * Remembers how many rows fitted into a reply, by kind of read, so that a program that always asks for more is not refused each
 * time: a refused page has cost the store as much as an answered one.
 */
export class PageSizes {
  readonly #known = new Map<string, { rows: number; reads: number }>();

  /** @param kind whatever decides how large a row is: feature service, features, detail */
  of(kind: string): PageSize {
    return {
      rows: this.#known.get(kind)?.rows ?? limits.readEntitiesMax,
      fitted: (rows) => this.#fitted(kind, rows),
    };
  }

  #fitted(kind: string, rows: number): void {
    const known = this.#known.get(kind);
    if (rows >= limits.readEntitiesMax) this.#known.delete(kind);
    else if (known === undefined || rows < known.rows) this.#learn(kind, rows);
    else if (++known.reads >= readsUntilLarger) this.#learn(kind, Math.min(limits.readEntitiesMax, rows * 2));
  }

  #learn(kind: string, rows: number): void {
    const [oldest] = this.#known.keys();
    if (!this.#known.has(kind) && oldest !== undefined && this.#known.size >= kindsMax) this.#known.delete(oldest);
    this.#known.set(kind, { rows, reads: 0 });
  }
}
