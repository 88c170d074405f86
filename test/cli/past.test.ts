import type { Change } from "@tributary/cli/catalog/change";
import { pastOf } from "@tributary/cli/catalog/past";
import { agreeToGoBack, planCatalog, problemsOf } from "@tributary/cli/catalog/plan";
import { fitToPast } from "@tributary/cli/catalog/restore";
import { showPlan } from "@tributary/cli/catalog/show-plan";
import type { CatalogBody } from "@tributary/shared/contracts/catalog";
import picocolors from "picocolors";
import { describe, expect, it } from "vitest";
import { batch, direct, firstBody, stream, withViews } from "./catalog-bodies.ts";

const brief = ({ kind, what, name, needs }: Change) => [kind, what, name, needs ?? "-"].join(" ");
/** The plan of the last body after all the others have been current, one after the other. */
function planAfter(...bodies: CatalogBody[]) {
  const next = bodies.pop() ?? firstBody;
  return planCatalog(bodies.at(-1), next, pastOf(bodies));
}
const briefAfter = (...bodies: CatalogBody[]) => planAfter(...bodies).changes.map(brief);
const features = (...list: CatalogBody["views"][string]["features"]) => list;
const score = { name: "score", type: "float64" } as const;
const level = { name: "level", type: "int32" } as const;
const text = { name: "score", type: "string" } as const;

describe("a view version that was there before", () => {
  const withoutDirect = withViews({ congestion: undefined });
  const service = "compatible featureService board -";

  it("comes back as it was: an addition that says what is read", () => {
    const { changes } = planAfter(firstBody, withoutDirect, firstBody);
    expect(changes.map(brief)).toEqual([
      "addition view congestion -",
      "addition feature congestion.score -",
      "addition feature congestion.level -",
      service,
    ]);
    expect(changes[0]).toMatchObject({ lane: "direct", reason: expect.stringContaining("with its true age") });
  });

  it("may have become wider while it was away, and nothing else", () => {
    const back = (...list: CatalogBody["views"][string]["features"]) =>
      briefAfter(firstBody, withoutDirect, withViews({ congestion: { ...direct, features: list } }))[0];
    expect(back(score, { name: "level", type: "int64" })).toBe("addition view congestion -");
    expect(back(text, level)).toBe("breaking view congestion newVersion");
    expect(back(score)).toBe("addition view congestion -");
  });

  it("does not come back for another entity, another lane, or an entity of other keys", () => {
    const gates = { ...firstBody.entities, gate: { name: "gate", keys: [{ name: "code", type: "string" as const }] } };
    const elsewhere = { ...withViews({ congestion: { ...direct, entity: "gate" } }), entities: gates };
    expect(briefAfter(firstBody, withoutDirect, elsewhere)).toContain("breaking view congestion newVersion");
    const moved = withViews({ congestion: { ...batch, name: "congestion", features: direct.features } });
    expect(briefAfter(firstBody, withoutDirect, moved)).toContain("breaking view congestion newVersion");
  });

  it("is told apart by the greatest version that was ever there", () => {
    const second = withViews({ congestion: { ...direct, version: 7 } });
    const changed = withViews({ congestion: { ...direct, features: features(text, level) } });
    const { changes } = planAfter(firstBody, second, withoutDirect, changed);
    expect(changes[0]).toMatchObject({ needs: "newVersion", fix: 'raise the version of view "congestion" above 7' });
  });

  it("is never a stream view's: its windows ended", () => {
    const away = withViews({ now: undefined });
    const { changes } = planAfter(firstBody, away, firstBody);
    expect(changes[0]).toMatchObject({
      kind: "breaking",
      name: "now",
      lane: "stream",
      needs: "newVersion",
      reason: expect.stringContaining("its windows ended"),
    });
    expect(briefAfter(firstBody, away, withViews({ now: { ...stream, version: 2 } }))[0]).toBe("addition view now -");
  });
});

describe("going back", () => {
  const second = withViews({ congestion: { ...direct, version: 2, features: features(text, level) } });

  it("to an earlier version asks for a word, so that an old checkout does not do it by accident", () => {
    const plan = planAfter(firstBody, second, firstBody);
    expect(plan.changes.map(brief)).toEqual(["breaking view congestion goBack"]);
    expect(problemsOf(plan, { allowDestroy: false })).toEqual([
      expect.stringMatching(/changes its version: raise .* above 2, or go back with `tributary catalog restore`/),
    ]);
    expect(problemsOf(agreeToGoBack(plan), { allowDestroy: false })).toEqual([]);
    expect(problemsOf(plan, { allowDestroy: true })).toEqual([]);
  });

  it("and forward again needs nothing, when it is the same version 2 as before", () => {
    expect(briefAfter(firstBody, second, firstBody, second)).toEqual(["breaking view congestion -"]);
    const other = withViews({
      congestion: { ...direct, version: 2, features: features({ ...score, type: "bool" }, level) },
    });
    expect(briefAfter(firstBody, second, firstBody, other)).toEqual(["breaking view congestion newVersion"]);
    const third = withViews({
      congestion: { ...direct, version: 3, features: features({ ...score, type: "bool" }, level) },
    });
    expect(briefAfter(firstBody, second, firstBody, third)).toContain("breaking view congestion -");
  });

  it("to a version that was never there is refused as ever", () => {
    const fifth = withViews({ congestion: { ...direct, version: 5 } });
    expect(briefAfter(fifth, firstBody)).toEqual(["breaking view congestion newVersion"]);
  });
});

describe("the plan for a person", () => {
  it("says what a version that comes back brings, and every feature that changes beside its view", () => {
    const colors = picocolors.createColors(false);
    const second = withViews({ congestion: { ...direct, version: 2, features: features(text, level) } });
    expect(showPlan(planAfter(firstBody, second), colors).split("\n").slice(0, 8)).toEqual([
      "!  view     congestion",
      "    version: 1 → 2",
      "    version 2 begins empty and is filled by its producers",
      "    feature services that notice: board",
      "!  feature  congestion.score",
      "    type: float64 → string",
      "    its view begins anew with version 2",
      "    feature services that notice: board",
    ]);
    const away = withViews({ congestion: undefined });
    expect(showPlan(planAfter(firstBody, away, firstBody), colors)).toMatch(
      /^\+ {2}view +congestion +2 features\n {4}version 1 was there before: what is stored of it is read again/,
    );
    expect(showPlan(agreeToGoBack(planAfter(firstBody, second, firstBody)), colors)).not.toContain("needed");
  });
});

describe("a feature that was there before under the same view version", () => {
  const without = withViews({ congestion: { ...direct, features: features(level) } });

  it("comes back as it was, and not as another type", () => {
    expect(briefAfter(firstBody, without, firstBody)).toContain("addition feature congestion.score -");
    const other = withViews({ congestion: { ...direct, features: features(level, text) } });
    expect(briefAfter(firstBody, without, other)).toContain("breaking feature congestion.score newVersion");
  });

  it("is remembered however long ago it was", () => {
    const again = withViews({ congestion: { ...direct, features: features(level, { name: "b", type: "bool" }) } });
    const other = withViews({ congestion: { ...direct, features: features(level, text) } });
    expect(briefAfter(firstBody, without, again, without, other)).toContain(
      "breaking feature congestion.score newVersion",
    );
  });
});

describe("entities and sources that were there before", () => {
  const nothing = { ...firstBody, entities: {}, sources: {}, views: {}, featureServices: {} };

  it("keep their keys and shards for ever", () => {
    const airport = { name: "airport", keys: [{ name: "code", type: "int64" as const }] };
    const departures = { ...firstBody.sources.departures, shards: 2 } as CatalogBody["sources"][string];
    const next = { ...nothing, entities: { airport }, sources: { departures } };
    expect(briefAfter(firstBody, nothing, next)).toEqual([
      "breaking entity airport newName",
      "breaking source departures newName",
    ]);
    expect(briefAfter(firstBody, nothing, { ...nothing, entities: firstBody.entities })).toEqual([
      "addition entity airport -",
    ]);
  });
});

describe("what restore makes of a body", () => {
  it("is the body itself where every version can be read again", () => {
    const second = withViews({ congestion: { ...direct, version: 2, features: features(text, level) } });
    expect(fitToPast(firstBody, second, pastOf([firstBody, second]))).toEqual({ body: firstBody, raised: [] });
  });

  it("gives a stream view a version that was never used, and can then be applied", () => {
    const second = withViews({ now: { ...stream, version: 2, hopMs: 120_000 } });
    const past = pastOf([firstBody, second]);
    const { body, raised } = fitToPast(firstBody, second, past);
    expect(raised).toEqual([{ what: "view", name: "now", from: 1, to: 3 }]);
    expect(body).toEqual(withViews({ now: { ...stream, version: 3 } }));
    expect(problemsOf(agreeToGoBack(planCatalog(second, body, past)), { allowDestroy: false })).toEqual([]);
  });

  it("raises a view whose cells have become wider since, and a source that lost a field", () => {
    const fields = [{ name: "at", type: "timestamp", nullable: false }];
    const departures = { ...firstBody.sources.departures, version: 2, fields } as CatalogBody["sources"][string];
    const wide = withViews({ congestion: { ...direct, features: features(score, { name: "level", type: "int64" }) } });
    const second = { ...wide, sources: { ...wide.sources, departures } };
    const { raised } = fitToPast(firstBody, second, pastOf([firstBody, second]));
    expect(raised).toEqual([
      { what: "view", name: "congestion", from: 1, to: 2 },
      { what: "source", name: "departures", from: 1, to: 3 },
    ]);
  });
});
