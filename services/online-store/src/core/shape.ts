import { createHash } from "node:crypto";
import { corrupt } from "@tributary/shared/merge/byte-reader";

/**
 * What the cells of a section are called: a view version and its features' names in order. Records of one view would repeat
 * these names a million times, so a record holds only the shape's id, and the shape itself stands once beside the records of
 * its partition (`{pNN}!shapes`), written before the first record that names it and never removed. The id is a hash of what
 * it stands for: every instance gives one shape the same id without asking.
 */
export interface Shape {
  /** 48 bits of SHA-256 over `shapeText`. */
  readonly id: number;
  readonly view: string;
  readonly viewVersion: number;
  /** Sorted. */
  readonly features: readonly string[];
  /** See `sectionId`. */
  readonly section: string;
}

export interface ShapeLookup {
  find(id: number): Shape | undefined;
}

/** What the upper 24 bits of an id count. */
export const shapeIdHalf = 2 ** 24;

/** A record names a shape that this process has not heard of: another instance wrote it. */
export class UnknownShape extends Error {
  readonly id: number;

  constructor(id: number) {
    super(`shape ${shapeField(id)} is not known here`);
    this.id = id;
  }
}

/** A view of one version is one section of a record. */
export function sectionId(view: string, viewVersion: number): string {
  return `${view}\0${viewVersion}`;
}

export function shapeOf(view: string, viewVersion: number, features: Iterable<string>): Shape {
  const sorted = [...new Set(features)].sort();
  return makeShape(view, viewVersion, sorted);
}

/** The shape itself where it already names them all. */
export function widenShape(shape: Shape, features: Iterable<string>): Shape {
  const known = new Set(shape.features);
  const more = [...features].filter((feature) => !known.has(feature));
  return more.length === 0 ? shape : shapeOf(shape.view, shape.viewVersion, [...shape.features, ...more]);
}

/** How a shape stands in Redis: field and value of the partition's hash. */
export function shapeField(id: number): string {
  return id.toString(16).padStart(12, "0");
}

export function shapeText({ view, viewVersion, features }: Pick<Shape, "view" | "viewVersion" | "features">): string {
  return JSON.stringify([view, viewVersion, features]);
}

/** @throws TributaryError CORRUPT when the text is not of the shape that the id names */
export function parseShape(id: number, text: string): Shape {
  const [view, viewVersion, features] = JSON.parse(text) as [string, number, string[]];
  const shape = makeShape(view, viewVersion, features);
  if (shape.id !== id) throw corrupt(`shape ${shapeField(id)} does not say what its id stands for`);
  return shape;
}

function makeShape(view: string, viewVersion: number, features: readonly string[]): Shape {
  const text = shapeText({ view, viewVersion, features });
  const id = createHash("sha256").update(text).digest().readUIntBE(0, 6);
  return { id, view, viewVersion, features, section: sectionId(view, viewVersion) };
}
