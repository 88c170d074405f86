import { performance } from "node:perf_hooks";
import { setTimeout as pause } from "node:timers/promises";
import type { Connection } from "@tributary/shared/messaging/contract";
import { isListening, type Process, type Roster, readRoster } from "../roster.ts";

/** How far a catalog version has come: the processes that answer or are known to be there, and those that are behind. */
export interface Everywhere {
  readonly processes: readonly ProcessVersion[];
  /** Of `processes`: those that go by an older version or do not answer. */
  readonly lagging: readonly ProcessVersion[];
  /** From the swap until the last process told the version, ms; null while one is behind, or when nobody waited. */
  readonly everywhereMs: number | null;
}

export interface ProcessVersion {
  readonly service: string;
  /** null: somebody of this service listens and does not say who. */
  readonly id: string | null;
  readonly instance: string | null;
  /** The catalog version that it goes by; null: it does not answer, or its build does not say. */
  readonly version: number | null;
}

export const notAsked: Everywhere = { processes: [], lagging: [], everywhereMs: null };

export interface Awaited {
  readonly version: number;
  /** Who was there before the swap: whoever falls silent since then is told. */
  readonly before: Roster;
  /** `performance.now()` of the swap. */
  readonly swappedAtMs: number;
  /** Bound of the waiting, ms. */
  readonly waitMs: number;
}

const pollMs = 15;
const answerMsMax = 500;

/** Asks until every process goes by the version or a newer one, at most `waitMs`. */
export async function awaitEverywhere(connection: Connection, awaited: Awaited): Promise<Everywhere> {
  const deadline = awaited.swappedAtMs + awaited.waitMs;
  let known = awaited.before.processes;
  for (;;) {
    const answerMs = Math.max(1, Math.min(answerMsMax, deadline - performance.now()));
    const roster = await readRoster(connection, { waitMs: answerMs, known });
    const mute = await muteOf(connection, known, { roster, answerMs });
    known = [...roster.processes, ...mute];
    const result = judge(roster, mute, awaited.version);
    if (result.lagging.length === 0) return { ...result, everywhereMs: performance.now() - awaited.swappedAtMs };
    if (performance.now() + pollMs >= deadline) return { ...result, everywhereMs: null };
    await pause(pollMs);
  }
}

/** Processes that were there, do not answer, and have not left: one that ended is nobody to wait for. */
async function muteOf(
  connection: Connection,
  known: readonly Process[],
  { roster, answerMs }: { readonly roster: Roster; readonly answerMs: number },
): Promise<readonly Process[]> {
  const missing = known.filter(({ id }) => !roster.processes.some((process) => process.id === id));
  const listening = await Promise.all(missing.map((process) => isListening(connection, process, answerMs)));
  return missing.filter((_, i) => listening[i]);
}

function judge(
  { processes, silent }: Roster,
  mute: readonly Process[],
  version: number,
): Omit<Everywhere, "everywhereMs"> {
  const nameless = silent.filter((service) => !mute.some((process) => process.service === service));
  const all: ProcessVersion[] = [
    ...processes.map(({ service, id, instance, catalogVersion }) => ({
      service,
      id,
      instance,
      version: catalogVersion,
    })),
    ...mute.map(({ service, id, instance }) => ({ service, id, instance, version: null })),
    ...nameless.map((service) => ({ service, id: null, instance: null, version: null })),
  ];
  return { processes: all, lagging: all.filter((one) => one.version === null || one.version < version) };
}

/** `5 processes go by it, the last after 34 ms`, or who does not. */
export function describeEverywhere({ processes, lagging, everywhereMs }: Everywhere): string | undefined {
  if (processes.length === 0) return undefined;
  if (everywhereMs !== null) return `${count(processes.length)} it, the last after ${Math.round(everywhereMs)} ms`;
  const names = lagging.map(({ service, instance, version }) => {
    const state = version === null ? "does not answer" : `still goes by version ${version}`;
    return `${instance ?? service} ${state}`;
  });
  return `not everywhere yet: ${names.join(", ")}; see \`tributary status\``;
}

function count(processes: number): string {
  return processes === 1 ? "1 process goes by" : `${processes} processes go by`;
}
