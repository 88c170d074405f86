import { eventId } from "@tributary/shared/aggregation/event-ids";
import { pack } from "@tributary/shared/codec/msgpack";
import type { Catalog, StreamView } from "@tributary/shared/contracts/catalog";
import { partitionOf } from "@tributary/shared/contracts/entity-key";
import type { EventSource } from "@tributary/shared/contracts/source";
import { describe, expect, it } from "vitest";
import { emptyBatch, routeMessage } from "./route-batch.ts";
import { routingPlan } from "./routing-plan.ts";

const arrivalMs = Date.UTC(2001, 0, 5, 12);
const source: EventSource = {
  kind: "event",
  name: "flights",
  version: 1,
  fields: [
    { name: "origin", type: "string", nullable: false },
    { name: "destination", type: "string", nullable: false },
    { name: "delay", type: "float64", nullable: true },
    { name: "at", type: "timestamp", nullable: false },
  ],
  eventTime: "at",
  disorderMs: 0,
  shards: 1,
};
const view = (name: string, field: string, where?: string, derive?: StreamView["derive"]): StreamView => ({
  lane: "stream",
  name,
  version: 1,
  entity: "airport",
  features: [{ name: "n_15m", type: "int64" }],
  freshnessMs: 60_000,
  ttlMs: null,
  source: "flights",
  keys: { code: field },
  ...(derive !== undefined && { derive }),
  ...(where !== undefined && { where }),
  windows: [{ name: "15m", ms: 900_000 }],
  hopMs: 60_000,
  aggregations: [{ name: "n", op: "count", field: "delay" }],
});

function planOf(partitions: number, views: readonly StreamView[], from: EventSource = source) {
  const catalog: Catalog = {
    format: 1,
    version: 1,
    fingerprint: "",
    partitions,
    entities: { airport: { name: "airport", keys: [{ name: "code", type: "string" }] } },
    sources: { flights: from },
    views: Object.fromEntries(views.map((one) => [one.name, one])),
    featureServices: {},
  };
  return routingPlan(catalog, "flights");
}

const bothViews = [view("departures", "origin"), view("arrivals", "destination")];
const flight = { origin: "ORD", destination: "LAX", delay: 3, at: arrivalMs - 1_000 };
const json = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));

function route(data: Uint8Array, plan = planOf(4, bothViews)) {
  const batch = emptyBatch();
  routeMessage(plan, { sequence: 9, data, arrivalMs }, batch);
  return batch;
}

describe("routing a message", () => {
  it("makes one item of an event whose projections fall in one partition (O3)", () => {
    const { series } = route(json(flight), planOf(1, bothViews));
    expect(
      [...series.values()].map(({ partition, items }) => [partition, items.map(({ projections }) => projections)]),
    ).toEqual([
      [
        0,
        [
          [
            [0, "ORD"],
            [1, "LAX"],
          ],
        ],
      ],
    ]);
  });

  it("gives every partition its own item of the event", () => {
    const { series } = route(json(flight));
    const found = [...series.values()].map(({ partition, items }) => [
      partition,
      items[0]?.projections.map(([, key]) => key),
    ]);
    const wanted = [
      [partitionOf("ORD", 4), ["ORD"]],
      [partitionOf("LAX", 4), ["LAX"]],
    ];
    expect(found).toEqual(wanted);
  });

  it("takes msgpack and arrays, each event with its index", () => {
    const { series, events } = route(pack([flight, { ...flight, delay: null }]), planOf(1, bothViews));
    expect(events).toBe(2);
    expect([...series.values()][0]?.items.map(({ index, values }) => [index, values])).toEqual([
      [0, [3]],
      [1, [null]],
    ]);
  });

  it("filters by the view's expression, which a NULL does not fulfil", () => {
    const plan = planOf(1, [view("late", "origin", "delay > 10")]);
    expect(route(json({ ...flight, delay: 10 }), plan).series.size).toBe(0);
    expect(route(json({ ...flight, delay: null }), plan).series.size).toBe(0);
    expect(route(json({ ...flight, delay: 11 }), plan).series.size).toBe(1);
  });

  describe("with an id", () => {
    const withId = (nullable: boolean, type: "string" | "int64" = "string") =>
      planOf(1, [bothViews[0] as StreamView], {
        ...source,
        fields: [...source.fields, { name: "number", type, nullable }],
        id: "number",
        dedupeMs: 1_000,
      });
    const ids = (number: unknown, plan = withId(true)) => {
      const { series, poison } = route(json({ ...flight, number }), plan);
      return [
        [...series.values()].flatMap(({ items }) => items.map(({ id }) => id)),
        poison.map(({ error }) => error.code),
      ];
    };

    it("an item carries it in twelve bytes, a text or a number", () => {
      expect(ids("AA-100")).toEqual([[eventId("AA-100")], []]);
      expect(ids(100, withId(true, "int64"))).toEqual([[eventId("100")], []]);
    });

    it.each([undefined, null, ""])("%j is no id, and poison where there has to be one", (missing) => {
      expect(ids(missing)).toEqual([[undefined], []]);
      expect(ids(missing, withId(false))).toEqual([[], ["BAD_VALUE"]]);
    });
  });

  describe("with derived columns", () => {
    const hours = { name: "hours", type: "float64", expression: "delay / 60.0" } as const;
    const code = { name: "code", type: "string", expression: "hours < 1.0 ? origin : destination" } as const;
    const late = {
      ...view("late", "code", "hours >= 0.5", [hours, code]),
      aggregations: [
        { name: "n", op: "count" as const },
        { name: "hoursMax", op: "max" as const, field: "hours" },
        { name: "delayMax", op: "max" as const, field: "delay" },
      ],
    };
    const minutes = { ...hours, expression: "delay * 1.0" };
    const early = {
      ...view("early", "origin", undefined, [minutes]),
      aggregations: [{ name: "m", op: "min" as const, field: "hours" }],
    };
    const plan = planOf(1, [late, early]);
    const items = (event: object) =>
      [...route(json(event), plan).series.values()].flatMap((series) =>
        series.items.map(({ projections, values }) => [projections, values]),
      );

    it("keys, filters and carries them, each view its own", () => {
      expect(plan.entities[0]?.columns.map(({ name }) => name)).toEqual(["late.hours", "delay", "early.hours"]);
      expect(items({ ...flight, delay: 30 })).toEqual([
        [
          [
            [0, "ORD"],
            [1, "ORD"],
          ],
          [0.5, 30, 30],
        ],
      ]);
      expect(items({ ...flight, delay: 90 })[0]?.[0]).toContainEqual([0, "LAX"]);
      expect(items({ ...flight, delay: 29 })).toEqual([[[[1, "ORD"]], [29 / 60, 29, 29]]]);
    });

    it("a NULL among them does not fulfil a filter, and is carried as NULL", () => {
      expect(items({ ...flight, delay: null })).toEqual([[[[1, "ORD"]], [null, null, null]]]);
    });

    it("a NULL as a key is a missing key", () => {
      const keyed = planOf(1, [view("late", "code", undefined, [hours, code])]);
      const { poison, series } = route(json({ ...flight, delay: null }), keyed);
      expect([poison.map(({ error }) => error.code), series.size]).toEqual([["MISSING_KEY"], 0]);
    });
  });

  it.each([
    ["JSON that is not JSON", new TextEncoder().encode('{"origin":'), "MALFORMED", -1],
    ["malformed msgpack", Uint8Array.from([0x82, 0xa1]), "MALFORMED", -1],
    ["a message above the limit", new Uint8Array(300_000).fill(0x20), "LIMIT_EXCEEDED", -1],
    ["a scalar", json([5]), "MALFORMED", 0],
    ["no event time", json({ ...flight, at: undefined }), "BAD_TIME", 0],
    ["an event time without a zone", json({ ...flight, at: "2001-01-05T11:59:00" }), "BAD_TIME", 0],
    ["an event from the future", json({ ...flight, at: arrivalMs + 60_001 }), "FUTURE_TIME", 0],
    ["a wrong type", json({ ...flight, delay: "3" }), "BAD_VALUE", 0],
    ["not a number", pack({ ...flight, delay: Number.NaN }), "BAD_VALUE", 0],
    ["a missing field", json({ ...flight, origin: undefined }), "BAD_VALUE", 0],
    ["an empty key", json({ ...flight, origin: "" }), "BAD_KEY", 0],
  ])("sets %s aside with its cause", (_, data, code, index) => {
    const { poison, series } = route(data as Uint8Array);
    expect(poison.map(({ error, index: at }) => [error.code, at])).toEqual([[code, index]]);
    expect(series.size).toBe(0);
  });

  it("names the field and never the value", () => {
    const message = route(json({ ...flight, delay: "secret" })).poison[0]?.error.message;
    expect(message).toContain('field "delay"');
    expect(message).not.toContain("secret");
  });

  it("goes on with the neighbours of a poison event", () => {
    const { poison, series } = route(json([flight, { ...flight, at: null }, flight]), planOf(1, bothViews));
    expect(poison.map(({ index }) => index)).toEqual([1]);
    expect([...series.values()][0]?.items.map(({ index }) => index)).toEqual([0, 2]);
  });

  it("accepts an event exactly as far ahead as allowed, at any reading (V7)", () => {
    expect(route(json({ ...flight, at: arrivalMs + 60_000 })).poison).toEqual([]);
  });
});
