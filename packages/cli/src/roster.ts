import type { Connection } from "@tributary/shared/messaging/contract";
import { requestMany } from "@tributary/shared/messaging/request-many";
import { z } from "zod";

/** Who is there: every process of the four services that answers, and whether somebody is there who does not. */
export const serviceNames = ["batch-runner", "stream-processor", "direct-gateway", "online-store"] as const;

export interface Process {
  readonly service: string;
  /** Of the micro protocol: another one after each start. */
  readonly id: string;
  /** `online-store-1`; null where a build does not say. */
  readonly instance: string | null;
  /** Of the build. */
  readonly version: string;
  readonly http: string | null;
  /** The catalog it goes by; 0 while none is applied, null where a build does not say. */
  readonly catalogVersion: number | null;
  /** What a store does: `all`, `reads` or `writes`; null of other services, and where a build does not say. */
  readonly role: string | null;
}

export interface Roster {
  readonly processes: readonly Process[];
  /** Services of which somebody listens and nobody answers. */
  readonly silent: readonly string[];
}

export interface RosterOptions {
  /** How long the first answer of a service may take, ms. */
  readonly waitMs?: number;
  /** Processes that are known already: as soon as so many of a service answer, it is not waited for more. */
  readonly known?: readonly Process[];
}

const waitMsDefault = 1_000;
/** How far apart the answers of two instances may be, ms. */
const quietMs = 100;

/** @throws TributaryError UNAVAILABLE, BAD_CONFIG when the user may not ask */
export async function readRoster(connection: Connection, options: RosterOptions = {}): Promise<Roster> {
  const { waitMs = waitMsDefault, known = [] } = options;
  const found = await Promise.all(
    serviceNames.map(async (service) => {
      const count = known.filter((process) => process.service === service).length;
      const countMax = count === 0 ? undefined : count;
      return { service, processes: await readProcesses(connection, service, { waitMs, quietMs, countMax }) };
    }),
  );
  return {
    processes: found.flatMap(({ processes }) => processes ?? []),
    silent: found.filter(({ processes }) => processes?.length === 0).map(({ service }) => service),
  };
}

/** Whether this very process listens still, though it may not answer. */
export async function isListening(connection: Connection, { service, id }: Process, waitMs: number): Promise<boolean> {
  const bounds = { waitMs, quietMs: waitMs, countMax: 1 };
  return (await requestMany(connection, `$SRV.PING.${service}.${id}`, bounds)) !== undefined;
}

type Bounds = Parameters<typeof requestMany>[2];

async function readProcesses(
  connection: Connection,
  name: string,
  bounds: Bounds,
): Promise<readonly Process[] | undefined> {
  const answers = await requestMany(connection, `$SRV.STATS.${name}`, bounds);
  return answers?.map(decode).filter((process) => process !== undefined);
}

const statsSchema = z.object({
  name: z.string(),
  id: z.string(),
  version: z.string(),
  metadata: z
    .object({ instance: z.string().optional(), http: z.string().optional(), role: z.string().optional() })
    .nullish(),
  endpoints: z.array(z.object({ data: z.object({ catalogVersion: z.number() }).optional().catch(undefined) })),
});

/** Undefined for what is no answer of the micro protocol: anybody may answer there. */
function decode(answer: Uint8Array): Process | undefined {
  const parsed = statsSchema.safeParse(jsonOf(answer));
  if (!parsed.success) return undefined;
  const { name: service, id, version, metadata, endpoints } = parsed.data;
  const catalogVersion = endpoints.find(({ data }) => data !== undefined)?.data?.catalogVersion ?? null;
  const { instance = null, http = null, role = null } = metadata ?? {};
  return { service, id, version, instance, http, catalogVersion, role };
}

function jsonOf(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
}
