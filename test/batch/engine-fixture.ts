import { afterAll, beforeAll } from "vitest";
import { openDuckDb } from "../../services/batch-runner/src/adapters/duckdb-engine.ts";
import type { Engine } from "../../services/batch-runner/src/core/engine.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";

/** One engine for all tests of a `describe`. */
export function useEngine(): { readonly engine: () => Engine; readonly directory: string } {
  const directory = temporaryDirectory("engine");
  let engine: Engine | undefined;
  beforeAll(async () => {
    engine = await openDuckDb({
      memoryMb: 256,
      threads: 1,
      temporaryMb: 1_024,
      temporaryDirectory: `${directory.path}/spill`,
    });
  });
  afterAll(() => {
    engine?.close();
    directory.remove();
  });
  return { engine: () => engine as Engine, directory: directory.path };
}

/** All rows of a small query, as arrays. */
export async function rowsOf(engine: Engine, query: string): Promise<unknown[][]> {
  const rows: unknown[][] = [];
  for await (const batch of engine.stream(query)) {
    for (let row = 0; row < batch.rows; row++) rows.push(batch.columns.map((column) => column[row]));
  }
  return rows;
}
