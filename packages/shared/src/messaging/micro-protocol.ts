import type { Endpoint, ServeOptions } from "./contract.ts";
import type { EndpointStats } from "./endpoint-stats.ts";

/** Answers of the micro protocol (ADR-32): `$SRV.PING|INFO|STATS`, of all, of a name, of one instance. */
const queueGroup = "q";
export const verbs = ["PING", "INFO", "STATS"] as const;
export type Verb = (typeof verbs)[number];

export interface Described {
  readonly id: string;
  readonly options: ServeOptions;
  readonly startedAt: string;
  readonly stats: ReadonlyMap<string, EndpointStats>;
}

export function verbSubjects(verb: Verb, name: string, id: string): string[] {
  return [`$SRV.${verb}`, `$SRV.${verb}.${name}`, `$SRV.${verb}.${name}.${id}`];
}

/** Undefined: every instance hears every request. */
export function queueOf({ isMine }: Endpoint): string | undefined {
  return isMine === undefined ? queueGroup : undefined;
}

export function describe(verb: Verb, service: Described) {
  const { name, version, description, metadata = {}, endpoints } = service.options;
  const identity = { name, id: service.id, version, metadata, type: `io.nats.micro.v1.${verb.toLowerCase()}_response` };
  switch (verb) {
    case "PING":
      return identity;
    case "INFO":
      return {
        ...identity,
        description,
        endpoints: endpoints.map((it) => ({ ...place(it), metadata: it.metadata ?? {} })),
      };
    case "STATS": {
      const ofAll = service.options.stats?.();
      return {
        ...identity,
        started: service.startedAt,
        endpoints: endpoints.map((it) => ({
          ...place(it),
          ...service.stats.get(it.name)?.report(),
          ...((ofAll || it.stats) && { data: { ...ofAll, ...it.stats?.() } }),
        })),
      };
    }
    default:
      return verb satisfies never;
  }
}

function place(endpoint: Endpoint) {
  return { name: endpoint.name, subject: endpoint.subject, queue_group: queueOf(endpoint) ?? "" };
}
