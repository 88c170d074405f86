import fc from "fast-check";
import { describe, it } from "vitest";
import { type Acknowledge, Router, World } from "../testing/partition-world.ts";

const acknowledge = fc.constantFrom<Acknowledge>("yes", "yes", "lost", "not sent");
const command = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant("event" as const),
      key: fc.constantFrom("a", "b"),
      agoMs: fc.oneof(fc.integer({ min: -30, max: 150 }), fc.integer({ min: -5, max: 15 })),
      x: fc.integer({ min: -9, max: 9 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("resend" as const),
      which: fc.nat(6),
      byMs: fc.oneof(fc.constant(0), fc.integer({ min: -30, max: 30 })),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("mark" as const), shard: fc.nat(1) }) },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant("route" as const),
      shard: fc.nat(1),
      count: fc.integer({ min: 1, max: 4 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("commit position" as const), shard: fc.nat(1) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("restart route" as const), shard: fc.nat(1) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("zombie route" as const),
      which: fc.nat(3),
      count: fc.integer({ min: 1, max: 4 }),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("read" as const), count: fc.integer({ min: 1, max: 3 }) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("tick" as const), acknowledge }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("commit" as const), isStored: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("take over" as const), keepZombie: fc.boolean() }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant("zombie owner" as const), which: fc.nat(3), count: fc.nat(2), acknowledge }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("time" as const), ms: fc.integer({ min: 1, max: 60 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("time" as const), ms: fc.integer({ min: 100, max: 400 }) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("pause" as const), ms: fc.integer({ min: 0, max: 40 }) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("erase" as const),
      key: fc.constantFrom("a", "b"),
      aheadMs: fc.integer({ min: -60, max: 40 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("erase again" as const), which: fc.nat(2) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("check" as const) }) },
);
type Command = typeof command extends fc.Arbitrary<infer T> ? T : never;

function run(world: World, step: Command): void {
  const { nowMs } = world;
  switch (step.do) {
    case "event": {
      const sequence = world.events.length + 1;
      world.events.push({ sequence, number: sequence, key: step.key, eventMs: nowMs - step.agoMs, x: step.x });
      return;
    }
    case "resend":
      world.resend(step.which, step.byMs);
      return;
    case "mark":
      world.mark(step.shard);
      return;
    case "route":
      world.routers[step.shard]?.publish(world.events, world.log, step.count, nowMs);
      return;
    case "commit position":
      world.routed[step.shard] = world.routers[step.shard]?.position ?? 0;
      return;
    case "restart route":
      world.zombieRouters.push(world.routers[step.shard] as Router);
      world.routers[step.shard] = new Router(step.shard, world.routed[step.shard] as number);
      return;
    case "zombie route":
      world.zombieRouters[step.which % Math.max(1, world.zombieRouters.length)]?.publish(
        world.events,
        world.log,
        step.count,
        nowMs,
      );
      return;
    case "read":
      world.read(world.book, step.count);
      return;
    case "tick":
      world.tick(world.book, step.acknowledge);
      return;
    case "commit":
      world.commit(step.isStored);
      return;
    case "take over":
      world.takeOver(step.keepZombie);
      return;
    case "zombie owner": {
      const zombie = world.zombies[step.which % Math.max(1, world.zombies.length)];
      if (zombie === undefined) return;
      world.tickZombie(zombie, step.count, step.acknowledge);
      return;
    }
    case "time":
      world.pass(step.ms);
      return;
    case "pause":
      world.pause(step.ms);
      return;
    case "erase":
      world.erase(step.key, nowMs + step.aheadMs);
      return;
    case "erase again":
      world.eraseAgain(step.which);
      return;
    case "check":
      world.check();
      return;
    default:
      step satisfies never;
  }
}

describe("a partition", () => {
  it("publishes what a recount gives, through crashes, takeovers, zombies, resends and erasures", () => {
    fc.assert(
      fc.property(fc.array(command, { minLength: 10, maxLength: 60, size: "max" }), (steps) => {
        const world = new World();
        for (const step of steps) run(world, step);
        for (const router of world.routers) router.publish(world.events, world.log, 1_000, world.nowMs);
        world.check();
        world.pass(15);
        world.check();
        world.pass(500);
        world.check();
      }),
      { numRuns: 1_000 },
    );
  });
});
