import { describe, expect, it } from "vitest";
import { progressText } from "./progress-text.ts";

const step = { what: "route_profile: publishing", done: 1_200, total: 3_200, unit: "rows" };

describe("a line of progress", () => {
  it("has a rate and the time that is left", () => {
    expect(progressText(step, 1_000, 2_000)).toBe("route_profile: publishing 1,200 of 3,200 rows, 500/s, 4 s left");
  });

  it("promises nothing before there is something to go by", () => {
    const counted = "route_profile: publishing 1,200 of 3,200 rows";
    expect(progressText(step, 1_000, 999)).toBe(counted);
    expect(progressText(step, 0, 10_000)).toBe(counted);
  });

  it("has no end in sight while input is read, and none when all is done", () => {
    const { total: _, ...open } = step;
    expect(progressText(open, 3, 2_000)).toBe("route_profile: publishing 1,200 rows, 1.5/s");
    expect(progressText({ ...step, done: 3_200 }, 3_200, 1_000)).not.toContain("left");
  });

  it("is a word where nothing is counted", () => {
    expect(progressText({ what: "route_profile: computing" }, 0, 60_000)).toBe("route_profile: computing");
  });
});
