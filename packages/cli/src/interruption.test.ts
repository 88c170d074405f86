import { describe, expect, it } from "vitest";
import { Interruption } from "./interruption.ts";

describe("an interrupt", () => {
  it("says what is under way, as it stands then", () => {
    const interruption = new Interruption();
    expect(interruption.interrupt()).toBe("interrupted");
    let done = 0;
    interruption.underWay(() => `${done} done`);
    done = 7;
    expect(interruption.interrupt()).toBe("interrupted: 7 done");
  });

  it("is left once to a command that ends by itself", async () => {
    const interruption = new Interruption();
    const taken = interruption.takeOver();
    expect(interruption.interrupt()).toBe(true);
    await taken;
    expect(interruption.interrupt()).toBe("interrupted");
  });
});
