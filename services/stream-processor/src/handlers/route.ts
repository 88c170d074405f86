import { performance } from "node:perf_hooks";
import { setTimeout as pause } from "node:timers/promises";
import type { ClockRecord } from "@tributary/shared/contracts/clock";
import { TributaryError } from "@tributary/shared/contracts/errors";
import type { RoutePosition } from "@tributary/shared/contracts/status";
import { subjects } from "@tributary/shared/contracts/subjects";
import type { Cursor, DeliveredMessage } from "@tributary/shared/messaging/contract";
import { openCursor } from "@tributary/shared/messaging/cursor";
import { readStreamState } from "@tributary/shared/messaging/stream-state";
import { loadRoute, saveRoute } from "../adapters/route-store.ts";
import { arrivalOf, observeRecord } from "../core/arrival-clock.ts";
import { emptyBatch, type RoutedBatch, routeMessage } from "../core/route-batch.ts";
import { type RoutingPlan, routingPlan } from "../core/routing-plan.ts";
import type { HeldLease, Parts, Worker } from "./parts.ts";
import { publishMarks, publishPoison, publishSeries, type RouteIdentity } from "./route-publish.ts";

/**
 * One owner per source and shard reads the source's events in stream order from a committed position and publishes them per
 * partition and entity, each chunk only after the one before it is acknowledged (O2). Whatever is published twice after a
 * crash, the partitions' owners skip by its origin. A shard is the messages whose sequence has its remainder.
 */
export interface RouteOptions {
  readonly source: string;
  readonly shard: number;
  readonly shards: number;
}

/** Events decoded before they are published, so that large arrays do not pile up in memory. */
const eventsInHandMax = 20_000;
const waitMs = 200;
const commitEveryMs = 250;

export class Route implements Worker {
  readonly ended: Promise<unknown>;
  readonly #parts: Parts;
  readonly #lease: HeldLease;
  readonly #options: RouteOptions;
  readonly #unlisten: () => void;
  #records: readonly ClockRecord[];
  #plan: RoutingPlan | undefined;
  #position = { incarnation: 0, sequence: 0 };
  #committed = 0;
  #committedAtMs = 0;
  #markedAtMs = 0;
  /** Arrival of the last event read, while it is exact. */
  #lastArrivalMs: number | undefined;
  #isStopping = false;

  constructor(parts: Parts, lease: HeldLease, options: RouteOptions) {
    this.#parts = parts;
    this.#lease = lease;
    this.#options = options;
    this.#records = [parts.clock.record];
    this.#unlisten = parts.clock.onChange(() => {
      this.#records = observeRecord(this.#records, parts.clock.record);
    });
    this.ended = this.#run().then(
      () => undefined,
      (error: unknown) => error ?? new Error("route ended"),
    );
  }

  status(): RoutePosition {
    const { source, shard } = this.#options;
    return {
      source,
      shard,
      incarnation: this.#position.incarnation,
      sequence: this.#committed,
      fence: this.#lease.fence,
    };
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    await this.ended;
  }

  async #run(): Promise<void> {
    let cursor: Cursor | undefined;
    try {
      cursor = await this.#open();
      while (!this.#isStopping) await this.#step(cursor);
      await this.#commit();
    } finally {
      this.#unlisten();
      await cursor?.close();
    }
  }

  async #open(): Promise<Cursor> {
    const { source, shard, shards } = this.#options;
    const stored = await loadRoute(this.#parts.database, source, shard);
    if (stored !== undefined && stored.shards !== shards)
      throw new TributaryError(
        "BAD_CONFIG",
        `source "${source}" was routed with ${stored.shards} shards, now it has ${shards}: give it a new name`,
      );
    const state = await readStreamState(this.#parts.consuming, "TRIB_EVENTS");
    const from = stored?.sequence ?? state.firstSequence - 1;
    const cursor = await openCursor(this.#parts.consuming, {
      stream: "TRIB_EVENTS",
      filter: subjects.events(source),
      from: from + 1,
      ...(stored && { incarnation: stored.incarnation }),
      bufferMax: this.#parts.config.routeBatchMax,
    });
    this.#position = { incarnation: cursor.incarnation, sequence: from };
    this.#committed = from;
    return cursor;
  }

  /** Once a message is taken from the cursor it is routed: the next position stands behind it. */
  async #step(cursor: Cursor): Promise<void> {
    if (this.#currentPlan() === undefined || !this.#lease.isValid()) return pause(waitMs);
    const messages = await cursor.next(this.#parts.config.routeBatchMax, waitMs);
    const plan = this.#currentPlan();
    if (plan === undefined) return;
    await this.#routeAll(plan, messages);
    if (performance.now() - this.#markedAtMs >= this.#parts.config.markMs) await this.#mark(plan, cursor);
    if (performance.now() - this.#committedAtMs >= commitEveryMs) await this.#commit();
  }

  /** A plan per catalog version; a removed source keeps its last one until this route is stopped. */
  #currentPlan(): RoutingPlan | undefined {
    const catalog = this.#parts.catalog.current;
    if (
      catalog !== undefined &&
      catalog.version !== this.#plan?.catalogVersion &&
      catalog.sources[this.#options.source]
    )
      this.#plan = routingPlan(catalog, this.#options.source);
    return this.#plan;
  }

  async #routeAll(plan: RoutingPlan, messages: readonly DeliveredMessage[]): Promise<void> {
    let batch = emptyBatch();
    for (const message of messages) {
      if (message.sequence % this.#options.shards === this.#options.shard) this.#routeOne(plan, message, batch);
      if (batch.events < eventsInHandMax && message !== messages.at(-1)) continue;
      await this.#publish(plan, batch);
      this.#position.sequence = message.sequence;
      batch = emptyBatch();
    }
  }

  #routeOne(plan: RoutingPlan, message: DeliveredMessage, batch: RoutedBatch): void {
    const arrival = arrivalOf(this.#records, message.timestampMs, this.#parts.clock.now());
    this.#lastArrivalMs = arrival.isExact ? arrival.ms : undefined;
    routeMessage(plan, { sequence: message.sequence, data: message.data, arrivalMs: arrival.ms }, batch);
  }

  async #publish(plan: RoutingPlan, batch: RoutedBatch): Promise<void> {
    await publishPoison(this.#parts, this.#identity(), batch.poison);
    await publishSeries(this.#parts, plan, this.#identity(), [...batch.series.values()]);
    this.#parts.counters.eventsRouted += batch.events - batch.poison.length;
    this.#parts.counters.eventsRejected += batch.poison.length;
  }

  /** C1: the clock only when nothing was pending, else the arrival of the last event read. */
  async #mark(plan: RoutingPlan, cursor: Cursor): Promise<void> {
    const nowMs = this.#parts.clock.now();
    const end = await readStreamState(this.#parts.consuming, "TRIB_EVENTS");
    const isDrained = await cursor.drained();
    const markMs = isDrained ? nowMs : this.#lastArrivalMs;
    if (markMs !== undefined) await publishMarks(this.#parts, plan, this.#identity(), markMs);
    if (isDrained) this.#position.sequence = Math.max(this.#position.sequence, end.lastSequence);
    this.#markedAtMs = performance.now();
  }

  async #commit(): Promise<void> {
    const { source, shard, shards } = this.#options;
    const { incarnation, sequence } = this.#position;
    this.#committedAtMs = performance.now();
    if (sequence === this.#committed) return;
    await saveRoute(this.#parts.database, this.#lease, { source, shard, shards, incarnation, sequence });
    this.#committed = sequence;
  }

  #identity(): RouteIdentity {
    return { ...this.#options, incarnation: this.#position.incarnation, fence: this.#lease.fence };
  }
}
