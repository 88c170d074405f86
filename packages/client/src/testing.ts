import { defaultPartitions, type Lane } from "@tributary/shared/contracts/catalog";
import type { ErrorCode } from "@tributary/shared/contracts/errors";
import { compileDefinitions } from "@tributary/shared/definitions/compile";
import type { KeyMap, KeysOf } from "@tributary/shared/definitions/entity";
import type { ValueOf } from "@tributary/shared/definitions/feature-type";
import type { EventSourceDefinition, FieldMap } from "@tributary/shared/definitions/source";
import type { ViewDefinition } from "@tributary/shared/definitions/view-definition";
import { createTributary } from "./create-tributary.ts";
import { MemoryTransport } from "./testing/memory-transport.ts";
import { typedEvents } from "./testing/published-events.ts";
import { createTestClock, type TestClock } from "./testing/test-clock.ts";
import type { RequestKeys, Tributary, TypedWriteRow } from "./tributary.ts";

export type { TestClock } from "./testing/test-clock.ts";

/** A Tributary without servers, for an application's own tests. */
export interface TestTributary extends Tributary {
  /** Stands still until the test moves it; ages, freshness, ttl and refused future times go by it. */
  readonly clock: TestClock;
  /**
   * Values of a batch or stream view, as its lane would publish them. Of two for the same cell the one with the greater event time
   * stays, at equal ones the later.
   * @throws TributaryError UNKNOWN_VIEW, WRONG_LANE for a direct view (use `write`), and what a write's row is refused with
   */
  set<K extends KeyMap, Row, Written>(
    view: ViewDefinition<K, Row, Lane, Written>,
    key: KeysOf<K>,
    features: NonNullable<TypedWriteRow<K, Written>["features"]>,
    options?: SetOptions,
  ): void;
  set(view: string, key: RequestKeys, features: object, options?: SetOptions): void;
  /** The lane says that all it has published of the view is still so: ages count from here. Default: now. */
  confirm(view: { readonly name: string } | string, at?: Date | number): void;
  /** The next calls (default: one) to `read`, `write` or `publish` fail with this code: what does the application do then? */
  failNext(code: ErrorCode, calls?: number): void;
  /** What was published of a source, in order; with the definition as TypeScript values. */
  events<F extends FieldMap>(source: EventSourceDefinition<F>): PublishedEvent<F>[];
  events(source: string): Record<string, unknown>[];
}

export interface SetOptions {
  /** Default: the clock's instant. */
  readonly eventTime?: Date | number | string;
  /** Features that the lane takes back. */
  readonly withdraw?: readonly string[];
}

export type PublishedEvent<F extends FieldMap> = { readonly [N in keyof F]?: ValueOf<F[N]> | null };

export interface TestOptions {
  /** Where the clock begins. Default: the time of the call. */
  readonly now?: Date | number;
}

/**
 * A stand-in for tests of an application: no servers, no waiting. It goes by the real rules: admission of writes, versions and
 * merge, layers, defaults, ttl, freshness, statuses, tokens, idempotency keys, error codes. Nothing is computed in it: events
 * are kept for the test to look at, and windows, SQL and confirmations are what the test says by `set` and `confirm`. Load and
 * the limits of servers are not simulated; failures are what the test says by `failNext`.
 *
 * @param definitions a definitions module (`import * as features`), or a list of definitions; those they name are taken along
 * @throws TributaryError INVALID_DEFINITION
 */
export function createTestTributary(
  definitions: Iterable<unknown> | Readonly<Record<string, unknown>>,
  options: TestOptions = {},
): TestTributary {
  const exported = Symbol.iterator in definitions ? (definitions as Iterable<unknown>) : Object.values(definitions);
  const body = compileDefinitions(exported, { partitions: defaultPartitions });
  const clock = createTestClock(options.now ?? Date.now());
  const transport = new MemoryTransport({ ...body, version: 1, fingerprint: "test" }, clock);
  const set = (
    view: string | { name: string },
    key: RequestKeys,
    features: object,
    { eventTime, withdraw }: SetOptions = {},
  ) =>
    transport.set(nameOf(view), {
      key,
      features,
      ...(eventTime !== undefined && { eventTime }),
      ...(withdraw && { withdraw }),
    });
  const events = (source: string | EventSourceDefinition) => {
    const published = transport.events(nameOf(source));
    return typeof source === "string" ? published : typedEvents(source, published);
  };
  return {
    ...createTributary(transport),
    clock,
    set: set as TestTributary["set"],
    confirm: (view, at = clock.now()) => transport.confirm(nameOf(view), Number(at)),
    failNext: (code, calls = 1) => transport.failNext(code, calls),
    events: events as TestTributary["events"],
  };
}

function nameOf(definition: string | { readonly name: string }): string {
  return typeof definition === "string" ? definition : definition.name;
}
