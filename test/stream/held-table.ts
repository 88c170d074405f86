import { onTestFinished } from "vitest";
import type { Rig } from "./rig.ts";

/** Holds a table so that whoever reads or writes it waits; returns what ends it. `stream_partitions`: no commit of window state gets through. */
export async function holdTable(rig: Rig, table: string): Promise<() => Promise<void>> {
  const client = await rig.sql.connect();
  await client.query("begin");
  await client.query(`lock table ${table} in access exclusive mode`);
  let isHeld = true;
  const release = async () => {
    if (isHeld) await client.query("rollback").finally(() => client.release());
    isHeld = false;
  };
  onTestFinished(release);
  return release;
}
