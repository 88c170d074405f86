import fc from "fast-check";
import { expect, it } from "vitest";
import { type Due, DueQueue } from "./due-queue.ts";

interface Thing extends Due {
  readonly name: number;
}

it("hands out each entry once, when its newest instant has come, however often it was moved", () => {
  const moves = fc.array(fc.record({ name: fc.nat(8), dueMs: fc.nat(100) }), { maxLength: 60 });
  fc.assert(
    fc.property(moves, fc.array(fc.nat(110)), (pushed, instants) => {
      const queue = new DueQueue<Thing>();
      const things = Array.from({ length: 9 }, (_, name): Thing => ({ name, dueMs: 0, queuedMs: undefined }));
      const expected = new Map<number, number>();
      for (const { name, dueMs } of pushed) {
        queue.push(things[name] as Thing, dueMs);
        expected.set(name, dueMs);
      }
      for (const nowMs of instants.toSorted((a, b) => a - b)) {
        const wanted = [...expected].filter(([, dueMs]) => dueMs <= nowMs).map(([name]) => name);
        for (const name of wanted) expected.delete(name);
        expect(
          queue
            .takeDue(nowMs)
            .map((thing) => thing.name)
            .toSorted(),
        ).toEqual(wanted.toSorted());
      }
    }),
  );
});
