import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { withSecondTry } from "./second-try.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Asks whose answers the test gives. */
function questions() {
  const asked: { leftMs: number; answer: (value: string) => void; fail: (error: Error) => void }[] = [];
  const ask = (leftMs: number) =>
    new Promise<string>((answer, fail) => {
      asked.push({ leftMs, answer, fail });
    });
  return { asked, ask };
}

describe("what may be asked twice", () => {
  it("is asked once where an answer comes in the first half of the time, whatever it says", async () => {
    const { asked, ask } = questions();
    const [told, refused] = [withSecondTry(2_000, ask), withSecondTry(2_000, ask)];
    await vi.advanceTimersByTimeAsync(999);
    asked[0]?.answer("yes");
    asked[1]?.fail(new Error("no"));
    expect(await told).toBe("yes");
    await expect(refused).rejects.toThrow("no");
    await vi.advanceTimersByTimeAsync(5_000);
    expect(asked.map(({ leftMs }) => leftMs)).toEqual([2_000, 2_000]);
  });

  it("is asked once more with the time that is left, and never a third time", async () => {
    const { asked, ask } = questions();
    const told = withSecondTry(2_000, ask);
    await vi.advanceTimersByTimeAsync(1_999);
    expect(asked.map(({ leftMs }) => leftMs)).toEqual([2_000, 1_000]);
    asked[1]?.answer("second");
    expect(await told).toBe("second");
  });

  it("takes the first answer, though it was to the first question", async () => {
    const { asked, ask } = questions();
    const told = withSecondTry(2_000, ask);
    await vi.advanceTimersByTimeAsync(1_000);
    asked[0]?.answer("first");
    asked[1]?.fail(new Error("no"));
    expect(await told).toBe("first");
  });
});
