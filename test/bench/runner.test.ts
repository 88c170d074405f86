import { describe, expect, it } from "vitest";
import { benchmarks } from "../../bench/benchmark.ts";
import type { Case } from "../../bench/report.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";
import { bench, interruptedBench, linesOf } from "./run-bench.ts";

describe("the benchmark runner", () => {
  it("lists what there is, when asked and when a name is wrong", () => {
    for (const args of [["--list"], ["--help"]]) {
      const { status, stdout } = bench(...args);
      expect(status).toBe(0);
      for (const { name } of benchmarks) expect(stdout).toContain(`  ${name}`);
    }
    const names = benchmarks.map(({ name }) => name).join(", ");
    const stderr = `there is no benchmark "catalgo"; there are ${names}\n`;
    expect(bench("catalgo")).toEqual({ status: 2, stdout: "", stderr });
    expect(bench("read", "catalog").stderr).toBe(`there is no benchmark "read catalog"; there are ${names}\n`);
    const none = bench();
    expect(none.status).toBe(2);
    for (const name of names.split(", ")) expect(none.stderr).toContain(`  ${name}`);
    expect(bench("catalog", "--repetitions", "many").status).toBe(2);
    expect(bench("catalog", "--entities", "0").status).toBe(2);
    expect(bench("catalog", "--nope").status).toBe(2);
  });

  it("names the cases there are in one line when one is asked for that there is not", async () => {
    for (const { name, load } of benchmarks) {
      const { caseNames = [] } = await load();
      const { status, stdout, stderr } = bench(name, "--cases", [...caseNames, "WRONG"].join(","));
      const known = caseNames.length > 0 ? `there are ${caseNames.join(", ")}` : `${name} has no cases to choose from`;
      expect({ status, stdout, stderr }).toEqual({
        status: 2,
        stdout: "",
        stderr: `${name}: there is no case "WRONG"; ${known}\n`,
      });
    }
    const read = await benchmarks.find(({ name }) => name === "read")?.load();
    expect(read?.caseNames).toEqual(expect.arrayContaining(["memory", "1x50", "100x250", "fanout"]));
  }, 180_000);

  it("stops its servers and removes their folder when it is ended while it starts them", async () => {
    const folder = temporaryDirectory("bench-ended");
    try {
      const { status, stderr, left } = await interruptedBench(folder.path, "read", "--cases", "1x50");
      expect({ status, left }, stderr).toEqual({ status: 130, left: [] });
      expect(stderr).toMatch(/interrupted; what was started is stopped\n$/);
    } finally {
      folder.remove();
    }
  }, 180_000);

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
