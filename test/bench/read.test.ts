import { describe, expect, it } from "vitest";
import { bench, linesOf, ofMachine } from "./run-bench.ts";

const number = expect.any(Number);
/** Told where there is /proc. */
const cpu = process.platform === "linux" ? { storeCpuMs: number, floorCpuMs: number, cpuRatio: number } : {};
const measured = { rps: number, p50Ms: number, p95Ms: number, p99Ms: number, errors: 0, ...ofMachine };

describe("the read benchmark", () => {
  it("measures small, large and fanned-out reads over both transports, each beside its floor, without an error", () => {
    const { status, stdout, stderr } = bench("read", "--quick", "--json");
    expect(status, stderr).toBe(0);
    const lines = linesOf(stdout);
    for (const [name, workers, rates] of [
      ["1x50", [1, 8, 32], [200]],
      ["50x250", [1, 8, 32], [10]],
      ["fanout", [1], [10]],
    ] as const) {
      for (const transport of ["nats", "http"]) {
        for (const mode of workers.map((count) => `closed${count}`)) {
          const one = { bench: "read", case: name, transport, mode, ...measured };
          expect(lines).toContainEqual({ ...one, floorRps: number, ratioToFloor: number, ...cpu });
        }
        for (const rate of rates) {
          expect(lines).toContainEqual({ bench: "read", case: name, transport, mode: `open${rate}`, ...measured });
        }
      }
    }
    const floors = lines.filter(({ transport }) => String(transport).startsWith("floor"));
    expect(floors.map(({ transport }) => transport)).toEqual(Array(2).fill(["floor, start", "floor, end"]).flat());
    for (const floor of floors) expect(floor).toMatchObject(measured);
    expect(lines[0]).toMatchObject({ entities: 200, redisBytesPerCell: number, packedBytesPerCell: 8 });
    expect(Number(lines[0]?.redisBytesPerCell)).toBeGreaterThan(1);
  }, 180_000);
});
