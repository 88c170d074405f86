import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fairShare } from "./fair-share.ts";

const names = (count: number) => Array.from({ length: count }, (_, i) => `p${i}`);
const never = () => false;

describe("a fair share of leases", () => {
  it("is reached from any standing, one lease at a time, and then nobody moves", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 6 }),
        fc.infiniteStream(fc.nat()),
        (leases, instances, chance) => {
          const pick = (below: number) => Number(chance.next().value) % below;
          const holders = new Map<string, string | undefined>();
          for (const name of names(leases)) holders.set(name, [undefined, "i0", `i${pick(instances)}`][pick(3)]);
          let settled = 0;
          for (let turn = 0; settled < instances; turn++) {
            expect(turn).toBeLessThan(2 * (leases + 1) * instances);
            const me = `i${turn % instances}`;
            const { take, giveAway, isSettled } = fairShare({ me, holders, instances }, never);
            for (const name of take) expect(holders.get(name)).toBeUndefined();
            for (const name of take) holders.set(name, me);
            if (giveAway !== undefined) holders.set(giveAway, undefined);
            settled = isSettled ? settled + 1 : 0;
          }
          const counts = names(instances).map((_, i) => [...holders.values()].filter((one) => one === `i${i}`).length);
          expect(counts.reduce((sum, count) => sum + count)).toBe(leases);
          expect(Math.max(...counts)).toBeLessThanOrEqual(Math.ceil(leases / instances));
        },
      ),
      { numRuns: 300 },
    );
  });

  it("is everything for an instance alone", () => {
    const holders = new Map(names(3).map((name) => [name, undefined]));
    expect(fairShare({ me: "a", holders, instances: 1 }, never)).toEqual({
      take: ["p0", "p1", "p2"],
      giveAway: undefined,
      isSettled: false,
    });
  });

  it("is exceeded for what stays free", () => {
    const holders = new Map([
      ["p0", "a"],
      ["p1", undefined],
      ["p2", undefined],
    ]);
    const { take } = fairShare({ me: "a", holders, instances: 3 }, (name) => name === "p2");
    expect(take).toEqual(["p2"]);
  });
});
