import { randomBytes } from "node:crypto";
import { mergeRecord } from "@tributary/online-store/core/cell-merge";
import { type EntityRecord, encodeRecord } from "@tributary/online-store/core/record";
import { shapeField, shapeOf, shapeText } from "@tributary/online-store/core/shape";
import { recordKey, storeKeys } from "@tributary/online-store/core/store-keys";
import { encodeFormat1, type Format1Section } from "./format-1.ts";
import { type Key, type ModelView, modelViews, type StartRecord } from "./model.ts";
import { cellsOf, expectedOf } from "./oracle.ts";
import type { SimulatedRedis } from "./simulated-redis.ts";

export function keyOf(key: Key): string {
  return recordKey(0, "airport", key);
}

/** Puts a record there as an earlier store left it: what its rows and its erasure come to, in the format asked for. */
export function putStart(redis: SimulatedRedis, start: StartRecord): void {
  const sections = sectionsOf(start);
  const erasure = start.erasure ?? undefined;
  if (sections.length === 0 && erasure === undefined) return;
  const nonce = randomBytes(8);
  const bytes =
    start.format === 1 ? encodeFormat1(sections, erasure, nonce) : encodeFormat2(redis, sections, { erasure, nonce });
  redis.strings.set(keyOf(start.key), bytes);
}

function sectionsOf(start: StartRecord): Format1Section[] {
  const history = { start: [start], messages: [], deliveries: [], outages: [], readsAtMs: [] };
  const cells = [...(expectedOf(history).get(start.key)?.cells ?? [])];
  const written = new Set(start.rows.flatMap(({ view, row }) => cellsOf(view, row, row.version)).map(({ id }) => id));
  const views = new Map(modelViews.map((view) => [`${view.name} ${view.version}`, view]));
  return [...views].flatMap(([id, { name, version }]: [string, ModelView]) => {
    const own = cells.filter(([cell]) => written.has(cell) && cell.startsWith(`${id} `)).map(([, cell]) => cell);
    return own.length === 0 ? [] : [{ view: name, viewVersion: version, cells: own }];
  });
}

/** Its shapes name what it has and no more, so no writer of the history knows them. */
function encodeFormat2(
  redis: SimulatedRedis,
  sections: readonly Format1Section[],
  { erasure, nonce }: { readonly erasure: EntityRecord["erasure"]; readonly nonce: Buffer },
): Buffer {
  const writes = sections.map(({ view, viewVersion, cells }) => {
    const shape = shapeOf(
      view,
      viewVersion,
      cells.map((cell) => cell.feature),
    );
    redis.hset(storeKeys.shapes(0), shapeField(shape.id), shapeText(shape));
    return { shape, cells };
  });
  const record = mergeRecord(undefined, writes) ?? { sections: new Map() };
  return encodeRecord({ ...record, ...(erasure && { erasure }) }, nonce);
}
