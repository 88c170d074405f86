import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { planCatalog, problemsOf } from "@tributary/cli/catalog/plan";
import { showPlan } from "@tributary/cli/catalog/show-plan";
import { aggregateView } from "@tributary/shared/definitions/aggregate-view";
import { count, mean } from "@tributary/shared/definitions/aggregation";
import { compileDefinitions } from "@tributary/shared/definitions/compile";
import { entity } from "@tributary/shared/definitions/entity";
import { featureService } from "@tributary/shared/definitions/feature-service";
import { float64, string, timestamp } from "@tributary/shared/definitions/feature-type";
import { eventSource, tableSource } from "@tributary/shared/definitions/source";
import type { AggregateOptions } from "@tributary/shared/definitions/view-definition";
import picocolors from "picocolors";
import { describe, expect, it } from "vitest";

const fields = { origin: string(), delay: float64(), at: timestamp() };
const airport = entity("airport", { key: { code: string() } });
const departures = eventSource("departures", { fields, eventTime: "at", disorder: "4h" });
const past = tableSource("past_departures", { format: "json", files: ["raw/departures/*.json"], fields });

type Change = Partial<Pick<AggregateOptions, "freshness" | "version" | "history">>;

function bodyWith({ freshness = "3h", ...change }: Change) {
  const now = aggregateView("airport_now", {
    entity: airport,
    from: departures,
    history: past,
    keys: { code: "origin" },
    windows: ["1h", "1d"],
    hop: "5m",
    features: { departures: count(), delayMean: mean("delay") },
    freshness,
    ...change,
  });
  return compileDefinitions([featureService("tower", [now])]);
}

const colors = picocolors.createColors(false);
const live = bodyWith({});

describe("the plan of a view whose lane is open", () => {
  it("shows the lane, the rule that chose it and why, with the arithmetic, as text and as data", () => {
    const plan = planCatalog(undefined, live);
    const sentence = "both lanes can, and batch costs less: freshness 3h is 1h or more; it runs every 2h";
    expect(showPlan(plan, colors)).toContain(
      `✓  airport_now  batch  interval 2h + assumed run 1m = 2h 1m, within freshness 3h (chosen by cheaper-in-batch: ${sentence})`,
    );
    expect(plan.lanes).toEqual([
      expect.objectContaining({ lane: "batch", meets: true, chosen: { rule: "cheaper-in-batch", why: sentence } }),
    ]);
  });

  it("re-derives every choice from the catalog alone", () => {
    const chosen = (change: Change) => planCatalog(undefined, bodyWith(change)).lanes[0]?.chosen;
    expect(chosen({ freshness: "10m" })).toEqual({
      rule: "cheaper-in-stream",
      why: "both lanes can, and the stream lane costs less: freshness 10m is less than 1h, for which batch would run every 5m",
    });
    expect(chosen({ freshness: "2m" })).toEqual({
      rule: "too-fresh-for-batch",
      why: "batch cannot keep the freshness: least interval 1m + twice the assumed run 1m = 3m, more than freshness 2m",
    });
    expect(chosen({ freshness: "3h", history: undefined as never })).toEqual({
      rule: "only-stream-sees",
      why: "only the stream lane sees these events: the view has no history",
    });
    const view = live.views.airport_now;
    if (view === undefined) expect.unreachable();
    const older = { ...live, views: { airport_now: { ...view, laneRule: "a-rule-of-old" } } };
    expect(planCatalog(undefined, older).lanes[0]?.chosen).toEqual({
      rule: "a-rule-of-old",
      why: "by a rule that has changed since",
    });
  });

  it("refuses an edit by which the lane flips, until the view has a new version", () => {
    const flipped = planCatalog(live, bodyWith({ freshness: "10m" }));
    expect(problemsOf(flipped, { allowDestroy: true })).toEqual([
      expect.stringMatching(
        /^view "airport_now" changes its .*lane.*: raise the version of view "airport_now" above 1; it breaks feature service tower/,
      ),
    ]);
    const text = showPlan(flipped, colors);
    expect(text).toContain("lane: batch → stream");
    expect(text).toContain("laneRule: cheaper-in-batch → cheaper-in-stream");
    const raised = planCatalog(live, bodyWith({ freshness: "10m", version: 2 }));
    expect(problemsOf(raised, { allowDestroy: false })).toEqual([]);
    expect(raised.changes.map(({ kind, what, name }) => `${kind} ${what} ${name}`)).toContain(
      "breaking view airport_now",
    );
    expect(raised.lanes[0]).toMatchObject({ lane: "stream", chosen: { rule: "cheaper-in-stream" } });
  });

  it("takes an edit after which the lane stays, as of any other view", () => {
    const edited = planCatalog(live, bodyWith({ freshness: "6h" }));
    expect(problemsOf(edited, { allowDestroy: false })).toEqual([]);
    expect(showPlan(edited, colors)).toContain("freshness 6h");
  });
});

describe("the guide on the planner", () => {
  const read = (path: string) => readFileSync(fileURLToPath(new URL(path, import.meta.url)), "utf8");
  const guide = read("../../docs/guides/let-the-planner-choose.md");

  it("shows definitions that compile, and the plan that they get", async () => {
    expect(guide).toContain(`\`\`\`ts\n${read("planner-guide/features.ts")}\`\`\``);
    const body = compileDefinitions(Object.values(await import("./planner-guide/features.ts")));
    const [, lanes] = showPlan(planCatalog(undefined, body), colors).split("\n\n");
    expect(guide).toContain(`\`\`\`text\n${lanes}\n\`\`\``);
  });
});
