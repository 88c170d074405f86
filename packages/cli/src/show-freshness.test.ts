import type { ViewFreshness } from "@tributary/shared/contracts/freshness";
import picocolors from "picocolors";
import { describe, expect, it } from "vitest";
import { freshnessIn } from "./read-freshness.ts";
import { freshnessRows } from "./show-freshness.ts";

const plain = picocolors.createColors(false);
const scores: ViewFreshness = {
  view: "scores",
  lane: "direct",
  freshnessMs: 60_000,
  met: 99_999,
  missed: 1,
  absent: 5,
  ages: { counts: [0, 0, 60, 40], sumMs: 500 },
  latencies: { counts: [], sumMs: 0 },
};
const bytes = (value: unknown) => new TextEncoder().encode(typeof value === "string" ? value : JSON.stringify(value));

describe("freshness as text", () => {
  it("tells shares and bounds, and never rounds a miss away", () => {
    const [header, row] = freshnessRows([scores], plain);
    expect(row).toHaveLength(header?.length ?? 0);
    expect(row).toEqual(["scores", "direct", "1 m 0 s", "99.9 %", "<= 4 ms", "<= 8 ms", "-", "-"]);
  });

  it("says when nothing was read, nothing found, and nothing missed", () => {
    const met = (more: Partial<ViewFreshness>) => freshnessRows([{ ...scores, ...more }], plain)[1]?.[3];
    expect(met({ missed: 0 })).toBe("100 %");
    expect(met({ met: 0, missed: 0 })).toBe("nothing stored");
    expect(met({ met: 0, missed: 0, absent: 0 })).toBe("not read");
    expect(met({ met: 0, missed: 7 })).toBe("0 %");
    expect(freshnessRows([], plain)).toEqual([]);
  });
});

describe("freshness in an answer of the micro protocol", () => {
  it("is taken from the endpoint that tells it", () => {
    const endpoints = [{ data: { catalogVersion: 1 } }, { data: { catalogVersion: 1, freshness: [scores] } }];
    expect(freshnessIn(bytes({ endpoints }))).toEqual([scores]);
  });

  it.each([
    ["no JSON", "{"],
    ["an older build", { endpoints: [{ data: { catalogVersion: 1 } }, {}] }],
    ["another form", { endpoints: [{ data: { freshness: [{ view: 1 }] } }] }],
    ["something else", []],
  ])("is nothing in %s", (_, answer) => {
    expect(freshnessIn(bytes(answer))).toEqual([]);
  });
});
