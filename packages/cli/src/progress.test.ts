import { PassThrough } from "node:stream";
import { describe, expect, it } from "vitest";
import { createProgress } from "./progress.ts";

function setUp(isTTY: boolean) {
  const terminal = Object.assign(new PassThrough(), { isTTY, columns: 30 });
  terminal.setEncoding("utf8");
  const clock = { ms: 0 };
  const progress = createProgress(terminal, () => clock.ms);
  const update = (done: number, atMs: number, what = "replaying") => {
    clock.ms = atMs;
    progress.update({ what, done, total: 1_000, unit: "letters" });
  };
  return { progress, update, said: () => (terminal.read() as string | null) ?? "" };
}

describe("progress", () => {
  it("is one changing line on a terminal, never wider than it, and goes before something else is printed", () => {
    const { progress, update, said } = setUp(true);
    update(0, 0);
    update(1, 50);
    update(100, 2_000);
    progress.clear();
    progress.clear();
    expect(said()).toBe("\r\u001b[Kreplaying 0 of 1,000 letters\r\u001b[Kreplaying 100 of 1,000 letter\r\u001b[K");
  });

  it("is a line every few seconds elsewhere, and at once when something else begins", () => {
    const { progress, update, said } = setUp(false);
    update(0, 0);
    update(100, 4_999);
    update(200, 5_000);
    update(5, 5_001, "resting");
    progress.clear();
    expect(said()).toBe(
      "replaying 0 of 1,000 letters\nreplaying 200 of 1,000 letters, 40/s, 20 s left\nresting 5 of 1,000 letters\n",
    );
  });

  it("counts the rate from where a step began", () => {
    const { update, said } = setUp(false);
    update(500, 0);
    update(510, 10_000);
    expect(said()).toContain("510 of 1,000 letters, 1/s");
  });
});
