import { isAbsolute, relative } from "node:path";
import { TributaryError } from "../contracts/errors.ts";
import { placeOf } from "./place.ts";

/** One thing that is wrong with one definition. */
export interface Problem {
  /** Relative to the working directory where it lies inside; absent where nobody knows. */
  readonly file?: string;
  readonly line?: number;
  /** Kind and name: `view "airport_now"`; absent where it is about a file. */
  readonly definition?: string;
  /** What is wrong and what to do. */
  readonly problem: string;
}

/** Definitions that cannot be compiled. */
export class DefinitionError extends TributaryError {
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[], options?: ErrorOptions) {
    super("INVALID_DEFINITION", problems.map(textOf).join("\n"), options);
    this.problems = problems;
  }
}

/** What a definition is called by. */
export interface Named {
  readonly kind: string;
  readonly name: string;
}

/** Collects what is wrong, so that a person sees everything at once. */
export class Problems {
  readonly #found: Problem[] = [];
  readonly #needsFiles: boolean;

  /** @param needsFiles false: files that definitions name need not be there */
  constructor(needsFiles = true) {
    this.#needsFiles = needsFiles;
  }

  /** Returns 1, so that a compiler can go on with a harmless number. */
  add(definition: Named | string, problem: string): 1 {
    this.#found.push(problemOf(definition, problem));
    return 1;
  }

  /** A file that a definition names is not there. */
  addFile(definition: Named, problem: string): void {
    if (this.#needsFiles) this.add(definition, problem);
  }

  throwIfAny(): void {
    if (this.#found.length > 0) throw new DefinitionError(this.#found);
  }
}

/** `view "airport_now"`. */
export function labelOf({ kind, name }: Named): string {
  return `${kind} "${name}"`;
}

/** `features.ts:12`, or undefined. */
export function whereIs(definition: object): string | undefined {
  const place = placeOf(definition);
  return place && [pathForPeople(place.file), ...(place.line === undefined ? [] : [place.line])].join(":");
}

/** Relative to the working directory where it lies inside. */
export function pathForPeople(file: string): string {
  const path = relative(process.cwd(), file);
  return path.startsWith("..") || isAbsolute(path) ? file : path;
}

function problemOf(definition: Named | string, problem: string): Problem {
  if (typeof definition === "string") return { definition, problem };
  const place = placeOf(definition);
  return {
    ...(place && { file: pathForPeople(place.file) }),
    ...(place?.line !== undefined && { line: place.line }),
    definition: labelOf(definition),
    problem,
  };
}

function textOf({ file, line, definition, problem }: Problem): string {
  const where = file === undefined ? [] : [line === undefined ? file : `${file}:${line}`];
  return [...where, ...(definition === undefined ? [] : [definition]), problem].join(" ");
}
