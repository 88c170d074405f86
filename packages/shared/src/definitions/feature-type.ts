import type { Feature, FeatureType } from "../contracts/feature.ts";
import type { Labels } from "./labels.ts";

/**
 * The types of keys, fields and features: plain data with a phantom TypeScript type, so that rows are inferred and the
 * catalog holds no code. `T` is what a read gives; `Null` is `null` unless the feature has a default; `Written` is what
 * a write takes.
 */
export interface TypeDefinition<
  T = unknown,
  Null extends null = never,
  Type extends FeatureType = FeatureType,
  Written = unknown,
> {
  readonly kind: "type";
  readonly type: Type;
  readonly options: TypeOptions;
  /** Never set: carries the TypeScript types. */
  readonly phantom?: { readonly value: T; readonly none: Null; readonly written: Written };
}

/** What was said of a type, as it was said; `compile-feature.ts` checks it. */
export interface TypeOptions extends Labels, Checks {
  readonly enum?: readonly string[];
  readonly as?: "bigint" | undefined;
  /** Of a list's or map's elements. */
  readonly element?: TypeOptions;
}
type Checks = Partial<Omit<Feature, "name" | "type" | keyof Labels | "enum" | "as">>;

/** The value of a type definition in TypeScript, without its null. */
export type ValueOf<D> = D extends TypeDefinition<infer T, null> ? T : never;
/** The value as a read gives it: `| null` unless it has a default. */
export type ReadValueOf<D> = D extends TypeDefinition<infer T, infer N> ? T | N : never;
/** The value as a write gives it: one of the allowed ones, `| null` unless `nullable: false`. */
export type WrittenValueOf<D> = D extends TypeDefinition<unknown, null, FeatureType, infer W> ? W : never;

interface Described extends Labels {
  /** A feature that is false refuses null; a source's field or a request field that is true may be null or missing. */
  readonly nullable?: boolean;
  /** Holds personal data: tools never print its values unasked. */
  readonly pii?: boolean;
}
interface Typed<T> extends Described {
  /** What a read gives instead of null. */
  readonly default?: T;
}
interface Numeric<T = number> extends Typed<T> {
  readonly min?: number;
  readonly max?: number;
  /** Batch: a change not greater than this is not published. */
  readonly tolerance?: number;
}
/** Characters of a string, bytes of bytes, elements of a list or map. */
interface Sized<T> extends Typed<T> {
  readonly minLength?: number;
  readonly maxLength?: number;
}
interface Text extends Sized<string> {
  /** The values allowed. */
  readonly enum?: readonly string[];
}
interface SafeInteger extends Numeric {
  readonly as?: never;
}
interface BigInteger extends Numeric<bigint> {
  /** A bigint in TypeScript, over the whole range. */
  readonly as: "bigint";
}

type NoneOf<O> = O extends { readonly default: unknown } ? never : null;
type WrittenNull<O> = O extends { readonly nullable: false } ? never : null;
/** A type with `nullable: true`: a request may leave it out. */
export interface MayBeAbsent {
  readonly options: { readonly nullable: true };
}
type Defined<T, O, Type extends FeatureType, W = T> = TypeDefinition<T, NoneOf<O>, Type, W | WrittenNull<O>> &
  (O extends { readonly nullable: true } ? MayBeAbsent : unknown);
/** What a list or a map holds; for anything deeper there is json. */
type ElementType = Exclude<FeatureType, "list" | "map" | "vector">;
type ElementDefinition<T> = TypeDefinition<T, null, ElementType>;
type Int64Of<O> = [O] extends [{ readonly as: "bigint" }] ? bigint : number;
type OneOf<O> = O extends { readonly enum: readonly (infer E extends string)[] } ? E : string;

/** The options go as they were said: what does not fit the type is told when the definitions are compiled. */
function define<Type extends FeatureType, T, O, W = T>(type: Type, options: TypeOptions = {}): Defined<T, O, Type, W> {
  const definition: TypeDefinition<T, NoneOf<O>, Type, W | WrittenNull<O>> = { kind: "type", type, options };
  return definition as Defined<T, O, Type, W>;
}

export const bool = <const O extends Typed<boolean>>(options?: O) => define<"bool", boolean, O>("bool", options);
export const int32 = <const O extends Numeric>(options?: O) => define<"int32", number, O>("int32", options);
/** A whole number within ±2^53; with `as: "bigint"` over the whole range of 64 bits. */
export const int64 = <const O extends SafeInteger | BigInteger>(options?: O) =>
  define<"int64", Int64Of<O>, O>("int64", options);
export const float32 = <const O extends Numeric>(options?: O) => define<"float32", number, O>("float32", options);
export const float64 = <const O extends Numeric>(options?: O) => define<"float64", number, O>("float64", options);
export const string = <const O extends Text>(options?: O) => define<"string", string, O, OneOf<O>>("string", options);
export const bytes = <const O extends Sized<Uint8Array>>(options?: O) =>
  define<"bytes", Uint8Array, O>("bytes", options);
/** An instant; a Date in TypeScript, epoch milliseconds on the wire. */
export const timestamp = <const O extends Typed<Date | string>>(options?: O) =>
  define<"timestamp", Date, O>("timestamp", options);
/** A day: read as a Date at midnight UTC, written as `2026-01-31`. */
export const date = <const O extends Typed<Date | string>>(options?: O) =>
  define<"date", Date, O, string>("date", options);
export const json = <const O extends Typed<unknown>>(options?: O) => define<"json", unknown, O>("json", options);
/** Float32 numbers of one dimension. */
export const vector = <const O extends Typed<Float32Array | readonly number[]>>(dimension: number, options?: O) =>
  define<"vector", Float32Array, O>("vector", { ...options, dimension });
/** Elements of one scalar type, null among them. */
export const list = <T, const O extends Sized<readonly (T | null)[]>>(of: ElementDefinition<T>, options?: O) =>
  define<"list", (T | null)[], O>("list", { ...options, of: of.type, element: of.options });
/** Text to values of one scalar type, null among them. */
export const map = <T, const O extends Sized<Readonly<Record<string, T | null>>>>(
  of: ElementDefinition<T>,
  options?: O,
) => define<"map", Record<string, T | null>, O>("map", { ...options, of: of.type, element: of.options });

/** uuid exists for join keys only. */
export const uuid = (): { readonly kind: "type"; readonly type: "uuid"; readonly options: TypeOptions } => ({
  kind: "type",
  type: "uuid",
  options: {},
});
