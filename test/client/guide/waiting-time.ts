import type { Tributary } from "@tributary/client/tributary";
import { departures, security } from "./features.ts";

const usual = 20;

/** Minutes that a passenger should plan for; the usual ones when nothing better is known. */
export async function waitingTime(tributary: Tributary, code: string): Promise<number> {
  const rows = await tributary.read(security, [{ code }], { detail: true }).catch(() => []);
  const [row] = rows;
  if (!row?.score.fresh) return usual;
  return Math.round(5 + 2 * (row.departures_15m.value ?? 0) + 30 * (row.score.value ?? 0));
}

export async function planeLeft(tributary: Tributary, origin: string, at: Date): Promise<void> {
  await tributary.publish(departures, { origin, at });
}
