import { describe, expect, it } from "vitest";
import { tombstone } from "../contracts/chunk.ts";
import { type ReadRules, viewColumn, viewNumbers, viewValues } from "./read-view.ts";
import { type CurrentCell, columnOfCells } from "./stored-column.ts";

const minute = 60_000;
const column: ReadRules = {
  freshnessMs: minute,
  ttlMs: 60 * minute,
  fallback: null,
};

function cell(eventTime: number, more: Partial<CurrentCell> = {}): CurrentCell {
  return { value: 0.5, eventTime, untilMs: null, ...more };
}

function view(one: CurrentCell | undefined, nowMs: number, more: { confirmedAtMs?: number; column?: ReadRules } = {}) {
  const stored = columnOfCells([one], [more.confirmedAtMs]);
  const { values, statuses, eventTimes, agesMs, fresh } = viewColumn(more.column ?? column, stored, nowMs);
  expect(viewValues(more.column ?? column, stored, nowMs), "values without detail").toEqual(values);
  const into = Float64Array.of(7, 7);
  if (viewNumbers(more.column ?? column, stored, { nowMs, into, from: 1 }))
    expect([...into], "as numbers").toEqual([7, values[0] ?? Number.NaN]);
  else expect(typeof one?.value).not.toBe("number");
  return { value: values[0], status: statuses[0], eventTime: eventTimes[0], ageMs: agesMs[0], fresh: fresh[0] };
}

describe("a cell as a reader sees it", () => {
  it("is fresh up to its view's freshness and not a millisecond longer", () => {
    expect(view(cell(0), minute)).toMatchObject({ value: 0.5, status: "PRESENT", ageMs: minute, fresh: true });
    expect(view(cell(0), minute + 1)).toMatchObject({ value: 0.5, status: "PRESENT", ageMs: minute + 1, fresh: false });
  });

  it("is hidden past its ttl, still telling its event time and age", () => {
    expect(view(cell(0), 60 * minute).status).toBe("PRESENT");
    expect(view(cell(0), 60 * minute + 1)).toEqual({
      value: null,
      status: "OUTSIDE_MAX_AGE",
      eventTime: 0,
      ageMs: 60 * minute + 1,
      fresh: false,
    });
    expect(view(cell(0), 1e12, { column: { ...column, ttlMs: null } }).status).toBe("PRESENT");
  });

  it("counts its age from the confirmation when that is later: unchanged is not unknown", () => {
    const confirmedAtMs = 59 * minute;
    expect(view(cell(0), 60 * minute, { confirmedAtMs })).toMatchObject({
      status: "PRESENT",
      ageMs: minute,
      fresh: true,
      eventTime: 0,
    });
    expect(view(cell(60 * minute), 60 * minute, { confirmedAtMs }).ageMs).toBe(0);
  });

  it("has age 0 when it comes from ahead of the clock", () => {
    expect(view(cell(5_000), 0)).toMatchObject({ ageMs: 0, fresh: true });
  });

  it("tells NULL from nothing, and a withdrawn value is nothing", () => {
    expect(view(cell(0, { value: null }), 1)).toMatchObject({
      value: null,
      status: "NULL_VALUE",
      eventTime: 0,
      fresh: true,
    });
    for (const missing of [undefined, cell(0, { value: tombstone })]) {
      expect(view(missing, 1)).toEqual({
        value: null,
        status: "NOT_FOUND",
        eventTime: null,
        ageMs: null,
        fresh: false,
      });
    }
  });

  it("takes the default for every kind of absence, and the status still tells which", () => {
    const defaulted = { ...column, fallback: -1 };
    const cases = [undefined, cell(0, { value: tombstone }), cell(0, { value: null }), cell(-1e9)];
    expect(cases.map((one) => view(one, 1, { column: defaulted })).map((one) => [one.value, one.status])).toEqual([
      [-1, "NOT_FOUND"],
      [-1, "NOT_FOUND"],
      [-1, "NULL_VALUE"],
      [-1, "OUTSIDE_MAX_AGE"],
    ]);
  });

  it("is shown but not fresh past the instant beyond which its schedule knows nothing", () => {
    expect(view(cell(0, { untilMs: 100 }), 100).fresh).toBe(true);
    expect(view(cell(0, { untilMs: 100 }), 101)).toMatchObject({ value: 0.5, status: "PRESENT", fresh: false });
  });
});
