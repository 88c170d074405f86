import { describe, expect, it } from "vitest";
import { nodeCheck } from "../commands/doctor.ts";
import type { Process } from "../roster.ts";
import { judgeSkew, natsVersionCheck } from "./broker-checks.ts";
import { postgresVersionCheck } from "./database-checks.ts";
import { completeness, judgeRedis, writes } from "./redis-checks.ts";
import { answerCheck, followCheck, rolesChecks } from "./service-checks.ts";

const store: Process = {
  service: "online-store",
  id: "x",
  instance: "online-store-1",
  version: "0.1.0",
  http: null,
  catalogVersion: 3,
  role: "all",
};
const redis = {
  version: "7.0.15",
  maxmemoryPolicy: "noeviction",
  maxmemoryBytes: 100,
  usedBytes: 10,
  appendOnly: true,
  isDiskFine: true,
};
const states = (facts: Partial<typeof redis>) => judgeRedis({ ...redis, ...facts }).map(({ state }) => state);

describe("what the doctor makes of what it finds", () => {
  it("versions below their floors", () => {
    expect([nodeCheck("v20.18.9").state, nodeCheck("v20.19.0").state]).toEqual(["fail", "ok"]);
    expect([natsVersionCheck("2.9.10").state, natsVersionCheck("2.14.0").state]).toEqual(["warn", "ok"]);
    expect([postgresVersionCheck("14.9").state, postgresVersionCheck("15.1").state]).toEqual(["fail", "ok"]);
  });

  it("a clock that is off by more than a second, in either direction", () => {
    const at = (skewMs: number) => judgeSkew({ skewMs, uncertaintyMs: 1 });
    expect(at(900).state).toBe("ok");
    expect(at(1_100)).toMatchObject({ state: "warn", what: expect.stringContaining("ahead of") });
    expect(at(-90_000)).toMatchObject({ state: "warn", what: expect.stringContaining("behind") });
  });

  it("Redis: eviction, persistence, memory", () => {
    expect(states({})).toEqual(["ok", "ok", "ok", "ok"]);
    expect(states({ maxmemoryPolicy: "volatile-lru" })).toEqual(["ok", "fail", "ok", "ok"]);
    expect(states({ appendOnly: false })).toEqual(["ok", "ok", "warn", "ok"]);
    expect(states({ isDiskFine: false })).toEqual(["ok", "ok", "fail", "ok"]);
    expect(states({ usedBytes: 80 })).toEqual(["ok", "ok", "ok", "warn"]);
    expect(states({ usedBytes: 80, maxmemoryBytes: 0 })).toEqual(["ok", "ok", "ok", "ok"]);
  });

  it("a Redis Cluster: the same of every master, and which one it is about", () => {
    const server = (port: number, facts: Partial<typeof redis> | null) => ({
      address: `h:${port}`,
      facts: facts && { ...redis, ...facts },
    });
    const judge = (...servers: ReturnType<typeof server>[]) => judgeRedis({ ...redis, servers });
    expect(judge(server(1, {}), server(2, {})).map(({ state }) => state)).toEqual(["ok", "ok", "ok", "ok"]);
    const [answers, eviction, persistence, memory] = judge(
      server(1, null),
      server(2, { maxmemoryPolicy: "allkeys-lru", appendOnly: false }),
      server(3, { appendOnly: false, isDiskFine: false, usedBytes: 90 }),
    );
    expect(answers).toMatchObject({ state: "fail", what: "h:1 does not answer the store" });
    expect(eviction).toMatchObject({ state: "fail", what: expect.stringMatching(/^h:2: .*allkeys-lru/) });
    expect(persistence).toMatchObject({
      state: "fail",
      what: expect.stringMatching(/^h:2: no append.*; h:3: its last/),
    });
    expect(memory).toMatchObject({ state: "warn", what: expect.stringMatching(/^h:3: .*90 %/) });
  });

  it("Redis: writes that wait, what it lost and gets back, and what is gone", () => {
    const counters = { chunks: 0, rows: 0, confirmations: 0, rejected: 0, lagMs: 0 };
    const lane = { lane: "batch", incarnation: 1, floor: 9, lastSequence: 9, counters } as const;
    const replay = { position: 4, until: 9, messages: 4, messagesPerSecond: 100 };
    expect(completeness([lane]).state).toBe("ok");
    expect(completeness([{ ...lane, replay }])).toMatchObject({
      state: "warn",
      what: expect.stringContaining("batch: 5 to go"),
    });
    expect(writes([lane]).state).toBe("ok");
    const waiting = { sinceMs: 0, why: "redis: its maxmemory is reached" };
    expect(writes([{ ...lane, waiting }])).toMatchObject({ state: "fail", what: expect.stringContaining("maxmemory") });
    expect(completeness([{ ...lane, replay, gaps: [0, 1] }])).toMatchObject({
      state: "fail",
      what: expect.stringContaining("batch: 2 partitions"),
    });
  });

  it("a service that is silent, and a process that is behind the catalog", () => {
    expect(answerCheck({ processes: [], silent: ["online-store"] }, "online-store").what).toContain("does not answer");
    const roster = { processes: [store], silent: [] };
    expect(answerCheck(roster, "online-store").state).toBe("ok");
    expect(followCheck(roster, 3).state).toBe("ok");
    expect(followCheck(roster, 4)).toMatchObject({ state: "warn", what: "behind version 4: online-store-1 (3)" });
  });

  it("stores of which none reads, or none writes", () => {
    const states = (...roles: (string | null)[]) =>
      rolesChecks(roles.map((role) => ({ ...store, role }))).map(({ state, what }) => `${state}: ${what}`);
    for (const roles of [[], ["all"], [null], ["all", null]]) expect(states(...roles)).toEqual([]);
    for (const roles of [
      ["reads", "writes"],
      ["reads", "all"],
      ["writes", null],
    ])
      expect(states(...roles)).toEqual(["ok: there are stores that read and stores that write"]);
    expect(states("reads", "reads")).toEqual(["fail: every store only reads: rows wait in their streams"]);
    expect(states("writes")).toEqual(["fail: every store only writes: nobody answers reads"]);
  });
});
