import type { Erasure } from "@tributary/shared/contracts/erasure";
import type { Engine } from "../core/engine.ts";
import type { ErasureBook } from "../core/erasure-book.ts";
import { erasedTable, erasureRelations, keptOutTable } from "../core/erasure-sql.ts";

/** Tells the engine which keys are erased, and which of them this run keeps out. */
export interface ErasedKeys {
  readonly erased: number;
  readonly keptOut: number;
}

export async function openErased(
  engine: Engine,
  erasures: readonly Erasure[],
  keptOut: readonly Erasure[] = [],
): Promise<ErasedKeys> {
  for (const sql of erasureRelations) await engine.exec(sql);
  const keysOf = (given: readonly Erasure[]) => given.map(({ key }) => key);
  const untils = erasures.map(({ eventTime }) => String(eventTime));
  await engine.append(erasedTable, { rows: erasures.length, columns: [keysOf(erasures), untils] });
  await engine.append(keptOutTable, { rows: keptOut.length, columns: [keysOf(keptOut)] });
  return { erased: erasures.length, keptOut: keptOut.length };
}

/** What a run has to know of the erasures of its entity. */
export function openErasedForRun(
  engine: Engine,
  book: ErasureBook,
  { entity, intervalEndMs }: { readonly entity: string; readonly intervalEndMs: number },
): Promise<ErasedKeys> {
  const erasures = book.of(entity);
  const keptOut = erasures.filter((erasure) => book.keepsOut(erasure, intervalEndMs));
  return openErased(engine, erasures, keptOut);
}
