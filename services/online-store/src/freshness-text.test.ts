import { expect, it } from "vitest";
import { FreshnessMonitor } from "./core/freshness-monitor.ts";
import { freshnessLines } from "./freshness-text.ts";

it("tells cumulative buckets, sums and counts by view and lane, and no other label", () => {
  const monitor = new FreshnessMonitor();
  const scores = { view: "scores", lane: "direct", freshnessMs: 1_000 } as const;
  for (const ageMs of [3, 4, 300, 2 ** 40]) monitor.sawCell(scores, { ageMs, fresh: ageMs < 1_000 });
  const lines = freshnessLines(monitor.read());
  const values = lines.filter((line) => line.startsWith("tributary_store_age_at_read_milliseconds"));
  const labels = `view="scores",lane="direct"`;
  const of = (le: string | number) => `tributary_store_age_at_read_milliseconds_bucket{${labels},le="${le}"}`;
  expect(values.slice(0, 2)).toEqual([`${of(1)} 0`, `${of(4)} 2`]);
  expect(values).toContain(`${of(256)} 2`);
  expect(values).toContain(`${of(1_024)} 3`);
  expect(values).toContain(`${of(2 ** 32)} 3`);
  expect(values.slice(-3)).toEqual([
    `${of("+Inf")} 4`,
    `tributary_store_age_at_read_milliseconds_sum{${labels}} ${307 + 2 ** 40}`,
    `tributary_store_age_at_read_milliseconds_count{${labels}} 4`,
  ]);
  expect(lines).toContain(`tributary_store_freshness_met_total{${labels}} 3`);
  expect(lines).toContain(`tributary_store_freshness_missed_total{${labels}} 1`);
  expect(lines).toContain(`tributary_store_declared_freshness_milliseconds{${labels}} 1000`);
  for (const line of lines) expect(line).toMatch(/^(# TYPE \w+ (histogram|counter|gauge)|\w+\{view=.*,lane=.*\} \S+)$/);
});
