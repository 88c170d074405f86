import { foreverMs } from "@tributary/shared/aggregation/row-schedule";
import type { Catalog, DirectView } from "@tributary/shared/contracts/catalog";
import { type RowsChunk, tombstone } from "@tributary/shared/contracts/chunk";
import { partitionOf } from "@tributary/shared/contracts/entity-key";
import { describe, expect, it } from "vitest";
import { checkHeader } from "./chunk-header.ts";
import { type MessagePosition, rowsOf } from "./chunk-rows.ts";

const view: DirectView = {
  lane: "direct",
  name: "congestion",
  version: 3,
  entity: "airport",
  features: [
    { name: "score", type: "float64", max: 1 },
    { name: "reason", type: "string" },
  ],
  freshnessMs: 1,
  ttlMs: null,
  producers: [],
};
const catalog: Catalog = {
  format: 1,
  version: 1,
  fingerprint: "",
  partitions: 32,
  entities: { airport: { name: "airport", keys: [{ name: "code", type: "string" }] } },
  sources: {},
  views: { congestion: view },
  featureServices: {},
};
const partition = partitionOf("ORD", 32);
const token = `p${String(partition).padStart(2, "0")}`;
const position: MessagePosition = {
  subject: `trib.v1.rows.direct.${token}.congestion`,
  incarnation: 77,
  sequence: 5,
  timestampMs: 1_000_000,
};

function chunk(more: Partial<RowsChunk> = {}): RowsChunk {
  return {
    kind: "rows",
    lane: "direct",
    view: "congestion",
    viewVersion: 3,
    catalogVersion: 1,
    partition,
    producer: "test",
    keys: ["ORD"],
    eventTimes: [500],
    columns: [
      { feature: "score", cells: [0.5] },
      { feature: "reason", cells: [undefined] },
    ],
    ...more,
  };
}

function rows(more: Partial<RowsChunk> = {}) {
  return rowsOf(chunk(more), view, { catalog, position });
}

function refusal(act: () => unknown): unknown {
  try {
    act();
  } catch (error) {
    return (error as { code?: string }).code;
  }
  return "accepted";
}

describe("a chunk's rows", () => {
  it("become cells of a record, absent features left out, versioned by the message's place", () => {
    expect(rows()).toEqual([
      {
        key: `{${token}}:airport:ORD`,
        shape: expect.objectContaining({ view: "congestion", viewVersion: 3 }),
        cells: [{ feature: "score", value: 0.5, version: { eventTime: 500, incarnation: 77, sequence: 5, minor: 0 } }],
      },
    ]);
  });

  it("go to the record of a view that has one of its own", () => {
    const own = rowsOf(chunk(), { ...view, ownRecord: true }, { catalog, position });
    expect(own[0]?.key).toBe(`{${token}}:airport:ORD\u001econgestion`);
  });

  it("keep the stamps that they carry (V5)", () => {
    const stamps = { incarnations: [1], sequences: [2], minors: [3] };
    expect(rows({ stamps })[0]?.cells[0]?.version).toEqual({ eventTime: 500, incarnation: 1, sequence: 2, minor: 3 });
  });

  it("without an event time take the broker's timestamp, read through the clock that the chunk names (V4)", () => {
    expect(rows({ eventTimes: [null] })[0]?.cells[0]?.version.eventTime).toBe(1_000_000);
    const clock = { simulatedMs: 9_000, realMs: 999_000, rate: 2 };
    expect(rows({ eventTimes: [null], clock })[0]?.cells[0]?.version.eventTime).toBe(11_000);
  });

  it("may carry a schedule that never ends", () => {
    const cells = rows({ schedules: [{ untilMs: foreverMs, steps: [] }] })[0]?.cells;
    expect(cells?.map((cell) => cell.schedule?.untilMs)).toEqual([foreverMs]);
  });

  it("give each column its own part of the schedule", () => {
    const columns: RowsChunk["columns"] = [
      { feature: "score", cells: [0.5] },
      { feature: "reason", cells: [tombstone] },
    ];
    const steps = [
      {
        atMs: 600,
        changes: [
          [0, 0.25],
          [1, "fog"],
        ] as const,
      },
      { atMs: 700, changes: [[0, null]] as const },
    ];
    const cells = rows({ columns, schedules: [{ untilMs: 800, steps }] })[0]?.cells;
    expect(cells?.map((cell) => [cell.feature, cell.value, cell.schedule])).toEqual([
      ["reason", tombstone, { untilMs: 800, changes: [{ atMs: 600, value: "fog" }] }],
      [
        "score",
        0.5,
        {
          untilMs: 800,
          changes: [
            { atMs: 600, value: 0.25 },
            { atMs: 700, value: null },
          ],
        },
      ],
    ]);
  });

  const column = (feature: string, value: never | unknown) => [{ feature, cells: [value as never] }];
  it.each([
    ["WRONG_PARTITION", { keys: ["LAX"] }],
    ["BAD_KEY", { keys: [""] }],
    ["BAD_KEY", { keys: ["ORD\u001fLAX"] }],
    ["BAD_KEY", { keys: ["ORD\u001econgestion"] }],
    ["UNKNOWN_FEATURE", { columns: column("speed", 1) }],
    ["MALFORMED", { columns: [...column("score", 1), ...column("score", 1)] }],
    ["BAD_VALUE", { columns: column("score", "high") }],
    ["BAD_VALUE", { columns: column("score", Number.NaN) }],
    ["BAD_VALUE", { columns: column("score", 2) }],
    ["BAD_TIME", { eventTimes: [2 ** 52] }],
    ["MALFORMED", { stamps: { incarnations: [1], sequences: [-1], minors: [0] } }],
    [
      "MALFORMED",
      {
        schedules: [
          {
            untilMs: 9,
            steps: [
              { atMs: 5, changes: [] },
              { atMs: 5, changes: [] },
            ],
          },
        ],
      },
    ],
    [
      "MALFORMED",
      {
        schedules: [
          {
            untilMs: 9,
            steps: [
              {
                atMs: 5,
                changes: [
                  [0, 1],
                  [0, 1],
                ] as const,
              },
            ],
          },
        ],
      },
    ],
    [
      "LIMIT_EXCEEDED",
      { schedules: [{ untilMs: 9, steps: Array.from({ length: 9 }, (_, i) => ({ atMs: i, changes: [] })) }] },
    ],
  ])("are refused with %s: %j", (code, more) => {
    expect(refusal(() => rows(more as Partial<RowsChunk>))).toBe(code);
  });

  it("of the batch and stream lanes must carry event time and stamps", () => {
    expect(refusal(() => rows({ lane: "batch" }))).toBe("MALFORMED");
    expect(refusal(() => rows({ lane: "stream", eventTimes: [null] }))).toBe("BAD_TIME");
  });
});

describe("a chunk's header", () => {
  const check = (more: Partial<RowsChunk>, subject = position.subject) =>
    refusal(() => checkHeader(chunk(more), subject, catalog));
  it("must agree with its subject and with the catalog", () => {
    expect(check({})).toBe("accepted");
    expect(check({ lane: "batch" })).toBe("WRONG_LANE");
    expect(check({}, position.subject.replace("direct", "batch"))).toBe("WRONG_LANE");
    expect(check({ partition: partition === 0 ? 1 : 0 })).toBe("WRONG_PARTITION");
    expect(check({ partition: 40 }, position.subject.replace(token, "p40"))).toBe("WRONG_PARTITION");
    expect(check({ view: "other" })).toBe("MALFORMED");
    expect(check({ view: "other" }, position.subject.replace("congestion", "other"))).toBe("UNKNOWN_VIEW");
    expect(check({ viewVersion: 2 })).toBe("MALFORMED");
    expect(check({}, "trib.v1.rows.direct.congestion")).toBe("MALFORMED");
  });
});
