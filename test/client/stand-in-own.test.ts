import { createTestTributary } from "@tributary/client/testing";
import { describe, expect, it } from "vitest";
import * as definitions from "./definitions.ts";
import { airportNow, allTypes, arrivals, departures, planning, profile, tower } from "./definitions.ts";

const noon = Date.parse("2001-06-14T12:00:00Z");
const key = { code: "ORD" };

describe("the stand-in", () => {
  it("stands still until the test moves its clock", async () => {
    const test = createTestTributary([tower], { now: new Date(noon) });
    test.set(airportNow, key, { departures_15m: 3 });
    const read = async () => (await test.read(tower, [key], { detail: true }))[0]?.departures_15m;
    expect(await read()).toMatchObject({ ageMs: 0, fresh: true, eventTime: new Date(noon) });
    test.clock.advance("10m");
    expect(await read()).toMatchObject({ ageMs: 600_000, fresh: true });
    test.clock.advance(1);
    expect(await read()).toMatchObject({ ageMs: 600_001, fresh: false, value: 3 });
    test.confirm(airportNow);
    test.confirm(airportNow, noon);
    expect(await read()).toMatchObject({ ageMs: 0, fresh: true, eventTime: new Date(noon) });
    test.clock.set(noon);
    expect((await test.readReply("tower", [key])).nowMs).toBe(noon);
    for (const wrong of ["soon", 0.5, Number.NaN] as never[]) expect(() => test.clock.advance(wrong)).toThrow(/"10m"/);
  });

  it("hides a value past its ttl, and shows it again when the clock goes back", async () => {
    const test = createTestTributary([definitions.everything], { now: noon });
    await test.write(allTypes, [{ key, features: { ratio: 0.5 } }]);
    const read = async () => (await test.read("everything", [key], { features: ["ratio"], detail: true }))[0]?.ratio;
    test.clock.advance("1h");
    expect(await read()).toMatchObject({ value: 0.5, status: "PRESENT" });
    test.clock.advance(1);
    expect(await read()).toMatchObject({ value: null, status: "OUTSIDE_MAX_AGE" });
    test.clock.set(noon);
    expect(await read()).toMatchObject({ value: 0.5, status: "PRESENT" });
  });

  it("takes back what a lane takes back", async () => {
    const test = createTestTributary([planning]);
    test.set(profile, key, { delay: 5, flights: 2 });
    test.clock.advance("1m");
    test.set(profile, key, {}, { withdraw: ["delay"] });
    expect(await test.read(planning, [key])).toEqual([{ p_delay: -1, p_flights: 2 }]);
  });

  it("refuses what no lane could have published, saying why", () => {
    const test = createTestTributary(definitions, { now: noon });
    const set = (view: string, features: object, more = {}) => test.set(view, key, features, more);
    const refused = (code: string) => expect.objectContaining({ code });
    expect(() => set("nope", { a: 1 })).toThrow(refused("UNKNOWN_VIEW"));
    expect(() => set("all_types", { ratio: 1 })).toThrow(refused("WRONG_LANE"));
    expect(() => set("profile", { ratio: 1 })).toThrow(refused("UNKNOWN_FEATURE"));
    expect(() => set("profile", { delay: "5" })).toThrow(refused("BAD_VALUE"));
    expect(() => set("profile", { delay: 5 }, { eventTime: noon + 61_000 })).toThrow(refused("FUTURE_TIME"));
    expect(() => test.set("profile", {}, { delay: 5 })).toThrow(refused("MISSING_KEY"));
    expect(() => test.confirm("nope")).toThrow(refused("UNKNOWN_VIEW"));
  });

  it("shows events as values by their definition, and as they travel by name", async () => {
    const test = createTestTributary([tower, arrivals]);
    const at = new Date(noon);
    await test.publish(departures, [
      { origin: "ORD", delay: 5, at },
      { origin: "LAX", delay: null, at: at.toISOString() },
    ]);
    expect(test.events(departures)).toEqual([
      { origin: "ORD", delay: 5, at },
      { origin: "LAX", delay: null, at },
    ]);
    expect(test.events("departures")[0]).toEqual({ origin: "ORD", delay: 5, at: noon });
    expect(test.events(arrivals)).toEqual([]);
    await test.publish("departures", { origin: 5 });
    expect(() => test.events(departures)).toThrow(expect.objectContaining({ code: "BAD_VALUE" }));
  });

  it("knows a message by its id for two minutes of its clock", async () => {
    const test = createTestTributary([tower]);
    const publish = () => test.publish(departures, { origin: "ORD" }, { id: "7" });
    expect([(await publish()).duplicate, (await publish()).duplicate]).toEqual([false, true]);
    test.clock.advance("2m");
    expect((await publish()).duplicate).toBe(false);
  });

  it("fails when it is told to, so often, and then no more", async () => {
    const test = createTestTributary([tower]);
    test.failNext("OVERLOADED", 2);
    await expect(test.read(tower, [key])).rejects.toMatchObject({ code: "OVERLOADED" });
    await expect(test.publish(departures, {})).rejects.toMatchObject({ code: "OVERLOADED" });
    expect(test.events(departures)).toEqual([]);
    expect(await test.read(tower, [key])).toHaveLength(1);
  });

  it("is its own: another one knows nothing of it", async () => {
    const [one, other] = [createTestTributary([tower]), createTestTributary([tower])];
    one.set(profile, key, { flights: 2 });
    expect((await other.read(tower, [key]))[0]?.flights).toBeNull();
  });

  it("refuses definitions that do not compile", () => {
    const twice = [tower, { ...tower, uses: [] }];
    expect(() => createTestTributary(twice)).toThrow(expect.objectContaining({ code: "INVALID_DEFINITION" }));
  });
});
