import { describe, expect, it } from "vitest";
import { benchmarks } from "../../bench/benchmark.ts";
import type { Case } from "../../bench/report.ts";
import { bench, linesOf } from "./run-bench.ts";

describe("the benchmark runner", () => {
  it("lists what there is, when asked and when a name is wrong", () => {
    for (const args of [["--list"], ["--help"]]) {
      const { status, stdout } = bench(...args);
      expect(status).toBe(0);
      for (const { name } of benchmarks) expect(stdout).toContain(`  ${name}`);
    }
    const wrong = bench("catalgo");
    expect(wrong).toMatchObject({ status: 2, stdout: "", stderr: expect.stringContaining('no benchmark "catalgo"') });
    for (const { name } of benchmarks) expect(wrong.stderr).toContain(`  ${name}`);
    expect(bench().status).toBe(2);
    expect(bench("catalog", "--repetitions", "many").status).toBe(2);
    expect(bench("catalog", "--entities", "0").status).toBe(2);
    expect(bench("catalog", "--nope").status).toBe(2);
  });

  it("prints one line of JSON a case, each over the floor of the same run", () => {
    const { status, stdout, stderr } = bench("catalog", "--repetitions", "2", "--json");
    expect(status, stderr).toBe(0);
    const cases = linesOf<Case>(stdout);
    expect(cases).toHaveLength(3);
    expect(cases[0]).toMatchObject({ bench: "catalog", unit: "ms", summary: { n: 2 } });
    expect(cases[0]).not.toHaveProperty("floor");
    for (const one of cases.slice(1)) {
      expect(one).toMatchObject({ floor: { case: cases[0]?.case, ratio: expect.any(Number) }, summary: { n: 2 } });
      expect(one.summary.p50).toBeGreaterThan(0);
    }
    expect(cases[1]?.counts).toEqual({ processes: 4 });
  });
});
