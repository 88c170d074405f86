import { describe, expect, it } from "vitest";
import { nearNames } from "./near-names.ts";

describe("near names", () => {
  const names = ["congestion", "departures", "route_profile", "arrivals"];

  it("finds a name with letters missing, changed or in another case", () => {
    expect(nearNames("congeston", names)).toEqual(["congestion"]);
    expect(nearNames("Departure", names)).toEqual(["departures"]);
    expect(nearNames("profile", names)).toEqual(["route_profile"]);
  });

  it("offers nothing that is far away", () => {
    expect(nearNames("weather", names)).toEqual([]);
  });
});
