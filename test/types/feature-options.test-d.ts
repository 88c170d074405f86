import type { Tributary } from "@tributary/client/tributary";
import { count, mean, percentile } from "@tributary/shared/definitions/aggregation";
import { entity, type KeysOf } from "@tributary/shared/definitions/entity";
import { featureService, type RowOfService } from "@tributary/shared/definitions/feature-service";
import {
  bool,
  bytes,
  date,
  float64,
  int64,
  json,
  list,
  map,
  string,
  timestamp,
  uuid,
  vector,
} from "@tributary/shared/definitions/feature-type";
import { eventSource, tableSource } from "@tributary/shared/definitions/source";
import { directView } from "@tributary/shared/definitions/view";

/** Compiled, never run: what features, fields and keys may say of themselves. */
const order = entity("order", { key: { id: int64({ as: "bigint" }), shop: uuid() }, owner: "sales" });
const orders = directView("orders", {
  entity: order,
  producers: ["shop"],
  freshness: "1m",
  tags: ["sales"],
  features: {
    state: string({ enum: ["open", "sent"], nullable: false }),
    total: float64({ min: 0, default: 0 }),
    serial: int64({ as: "bigint", default: 0n }),
    next: int64({ as: "bigint" }),
    bought: timestamp({ default: new Date(0), pii: true }),
    due: date({ default: "2001-01-31" }),
    parts: list(int64({ as: "bigint" }), { minLength: 1 }),
    prices: map(float64(), { default: { base: 1 }, maxLength: 9 }),
    photo: bytes({ maxLength: 9, default: Uint8Array.of(1) }),
    shape: vector(2, { default: [0, 1] }),
    extra: json({ default: { a: 1 } }),
    isGift: bool({ description: "wrapped", owner: "sales", tags: ["gift"] }),
  },
});
const s = featureService("s", [orders]);
declare const row: RowOfService<typeof s>;
declare const tributary: Tributary;

export const key: KeysOf<typeof order.key> = { id: 2n ** 60n, shop: "00000000-0000-0000-0000-000000000000" };
export const state: string | null = row.state;
export const serial: bigint = row.serial;
export const next: bigint | null = row.next;
export const bought: Date = row.bought;
export const part: bigint | null | undefined = row.parts?.[0];
export const prices: Record<string, number | null> = row.prices;
export const shape: Float32Array = row.shape;
export const labelled = [count({ description: "all" }), mean("delay", { tags: ["a"] }), percentile("delay", 0.9, {})];

// @ts-expect-error a bigint is no number
export const serialAsNumber: number = row.serial;
// @ts-expect-error an element may be null
export const partOfAll: bigint | undefined = row.parts?.[0];
// @ts-expect-error nullable: false is about writes; nothing may be stored yet
export const stateForSure: string = row.state;

export async function writes() {
  const features = { state: "open", serial: 5n, due: "2001-02-03", parts: [1n, null], shape: [0, 1] } as const;
  await tributary.write(orders, [{ key, features: { ...features, parts: [1n, null], next: null } }]);
  // @ts-expect-error not nullable
  await tributary.write(orders, [{ key, features: { state: null } }]);
  // @ts-expect-error not one of the allowed texts
  await tributary.write(orders, [{ key, features: { state: "lost" } }]);
  // @ts-expect-error a number, not a bigint
  await tributary.write(orders, [{ key, features: { serial: 5 } }]);
  // @ts-expect-error a day is text
  await tributary.write(orders, [{ key, features: { due: new Date() } }]);
  // @ts-expect-error an element of another type
  await tributary.write(orders, [{ key, features: { parts: ["a"] } }]);
}

// @ts-expect-error min is of numbers
string({ min: 1 });
// @ts-expect-error tolerance is of numbers
string({ tolerance: 1 });
// @ts-expect-error enum is of texts
float64({ enum: ["a"] });
// @ts-expect-error a length has no meaning for a number
float64({ maxLength: 1 });
// @ts-expect-error only int64 has another form
float64({ as: "bigint" });
// @ts-expect-error no such form
int64({ as: "string" });
// @ts-expect-error a default of another type
float64({ default: "a" });
// @ts-expect-error a bigint where the feature is a number
int64({ default: 1n });
// @ts-expect-error a number where the feature is a bigint
int64({ as: "bigint", default: 1 });
// @ts-expect-error null is what a read gives without a default
bool({ default: null });
// @ts-expect-error a default's element of another type
list(float64(), { default: ["a"] });
// @ts-expect-error a list of lists
list(list(float64()));
// @ts-expect-error a map of vectors
map(vector(3));
// @ts-expect-error a vector needs its dimension
vector();
// @ts-expect-error misspelt
bool({ descripton: "a" });
// @ts-expect-error a float is no key
entity("bad", { key: { at: float64() } });
// @ts-expect-error a uuid is no feature
directView("bad", { entity: order, producers: [], freshness: "1m", features: { id: uuid() } });
// @ts-expect-error no features
directView("bad", { entity: order, producers: [], freshness: "1m" });
// @ts-expect-error not a duration
directView("bad", { entity: order, producers: [], freshness: "soon", features: { x: bool() } });
// @ts-expect-error a label that is no text
entity("bad", { key: { id: string() }, owner: 5 });
// @ts-expect-error a format that is none
tableSource("bad", { format: "xml", files: [], fields: { x: bool() } });
// @ts-expect-error events have no files
eventSource("bad", { fields: { at: timestamp() }, eventTime: "at", disorder: "1m", files: [] });
// @ts-expect-error an option of an aggregation that is none
count({ min: 1 });
