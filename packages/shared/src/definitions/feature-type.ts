import type { Feature, FeatureType, KeyType } from "../contracts/feature.ts";

/**
 * The types of keys, fields and features: plain data with a phantom TypeScript type, so that rows are inferred and the
 * catalog holds no code. `T` is what a read gives; `Null` is `null` unless the feature has a default.
 */
export interface TypeDefinition<T = unknown, Null extends null = never> {
  readonly kind: "type";
  readonly type: FeatureType;
  readonly options: TypeOptions;
  /** Never set: carries the TypeScript type. */
  readonly phantom?: { readonly value: T; readonly none: Null };
}

export type TypeOptions = Partial<Omit<Feature, "name" | "type">> & { readonly nullable?: boolean };

/** The value of a type definition in TypeScript, without its null. */
export type ValueOf<D> = D extends TypeDefinition<infer T, null> ? T : never;
/** The value as a read gives it: `| null` unless it has a default. */
export type ReadValueOf<D> = D extends TypeDefinition<infer T, infer N> ? T | N : never;

interface Described {
  readonly description?: string;
  /** Event and table sources: may be null or missing. */
  readonly nullable?: boolean;
}
interface Numeric extends Described {
  readonly min?: number;
  readonly max?: number;
  /** Batch: a change not greater than this is not published. */
  readonly tolerance?: number;
  readonly default?: number;
}
type NoneOf<O> = O extends { readonly default: unknown } ? never : null;
/** A type with `nullable: true`: a request may leave it out. */
export interface MayBeAbsent {
  readonly options: { readonly nullable: true };
}
type Defined<T, O> = TypeDefinition<T, NoneOf<O>> & (O extends { readonly nullable: true } ? MayBeAbsent : unknown);

function define<T, O>(type: FeatureType, options: TypeOptions = {}): Defined<T, O> {
  const defined: TypeDefinition<T, NoneOf<O>> = { kind: "type", type, options };
  return defined as Defined<T, O>;
}

export const bool = <const O extends Described & { default?: boolean }>(options?: O) =>
  define<boolean, O>("bool", options);
export const int32 = <const O extends Numeric>(options?: O) => define<number, O>("int32", options);
/** A whole number within ±2^53. */
export const int64 = <const O extends Numeric>(options?: O) => define<number, O>("int64", options);
export const float32 = <const O extends Numeric>(options?: O) => define<number, O>("float32", options);
export const float64 = <const O extends Numeric>(options?: O) => define<number, O>("float64", options);
export const string = <const O extends Described & { enum?: readonly string[]; default?: string }>(options?: O) =>
  define<string, O>("string", options as TypeOptions | undefined);
export const bytes = <const O extends Described>(options?: O) => define<Uint8Array, O>("bytes", options);
/** An instant; a Date in TypeScript, epoch milliseconds on the wire. */
export const timestamp = <const O extends Described>(options?: O) => define<Date, O>("timestamp", options);
export const date = <const O extends Described>(options?: O) => define<Date, O>("date", options);
export const json = <const O extends Described>(options?: O) => define<unknown, O>("json", options);
export const vector = <const O extends Described>(dimension: number, options?: O) =>
  define<Float32Array, O>("vector", { ...options, dimension });
export const list = <T, const O extends Described>(of: TypeDefinition<T, null>, options?: O) =>
  define<T[], O>("list", { ...options, of: of.type });
export const map = <T, const O extends Described>(of: TypeDefinition<T, null>, options?: O) =>
  define<Record<string, T>, O>("map", { ...options, of: of.type });

/** uuid exists for join keys only. */
export const uuid = (): { readonly kind: "type"; readonly type: "uuid"; readonly options: TypeOptions } => ({
  kind: "type",
  type: "uuid",
  options: {},
});

export interface KeyDefinition {
  readonly kind: "type";
  readonly type: KeyType | FeatureType;
}
