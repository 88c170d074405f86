import { TributaryError } from "../contracts/errors.ts";

/** Collects what is wrong, so that a person sees everything at once. */
export class Problems {
  readonly #lines: string[] = [];

  /** Returns 1, so that a compiler can go on with a harmless number. */
  add(where: string, what: string): 1 {
    this.#lines.push(`${where} ${what}`);
    return 1;
  }

  throwIfAny(): void {
    if (this.#lines.length > 0) throw new TributaryError("INVALID_DEFINITION", this.#lines.join("\n"));
  }
}
