import type { WireError } from "@tributary/shared/contracts/errors";
import type { Plan } from "../catalog/plan.ts";

/** What `tributary dev` tells, one line of JSON each under `--json`. */
export type DevEvent =
  | ServersEvent
  | AppliedEvent
  | RefusedEvent
  | ReadyEvent
  | { readonly event: "changed"; readonly files: readonly string[] }
  | { readonly event: "stopping" }
  | { readonly event: "stopped" };

/** The servers answer, and hold streams and tables. */
export interface ServersEvent {
  readonly event: "servers";
  readonly directory: string;
  /** Versions, `external` for those that a variable names. */
  readonly nats: string;
  readonly redis: string;
  readonly postgres: string;
}

/** The definitions are the current catalog. */
export interface AppliedEvent {
  readonly event: "applied";
  readonly version: number;
  /** False: the current catalog said the same already. */
  readonly changed: boolean;
  readonly views: number;
  readonly featureServices: number;
  readonly plan: Plan;
}

/** The current catalog stays as it was. */
export interface RefusedEvent extends WireError {
  readonly event: "refused";
  readonly plan?: Plan;
  /** The call that would apply it, without the leading `tributary`, where only consent is missing. */
  readonly consent?: string;
}

/** Every service runs. */
export interface ReadyEvent {
  readonly event: "ready";
  readonly storeUrl: string;
  readonly gatewayUrl: string;
  /** The file with all addresses. */
  readonly environment: string;
  /** Calls that fit the definitions, without the leading `tributary`. */
  readonly examples: readonly string[];
}
