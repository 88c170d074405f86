import { describe, expect, it } from "vitest";
import { RequestQueue } from "./request-queue.ts";

const long = 60_000;

/** Work that ends when the test says so. */
function held() {
  let end = () => {};
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  return { work: () => ended, end: () => end() };
}

describe("the request queue", () => {
  it("lets so many in and the others after them, first come first served", async () => {
    const queue = new RequestQueue({ inFlightMax: 2, waitingMax: 100 });
    const started: number[] = [];
    let inside = 0;
    let most = 0;
    const run = (n: number) =>
      queue.run(long, async () => {
        started.push(n);
        most = Math.max(most, ++inside);
        await new Promise((resolve) => setImmediate(resolve));
        inside -= 1;
      });
    const first = Array.from({ length: 50 }, (_, n) => run(n));
    await first[10];
    const later = Array.from({ length: 50 }, (_, n) => run(50 + n));
    await Promise.all([...first, ...later]);
    expect(most).toBe(2);
    expect(started).toEqual(Array.from({ length: 100 }, (_, n) => n));
  });

  it("refuses when too many wait, and takes more once there is room", async () => {
    const queue = new RequestQueue({ inFlightMax: 1, waitingMax: 1 });
    const first = held();
    const running = queue.run(long, first.work);
    const waiting = queue.run(long, async () => "waited");
    await expect(queue.run(long, async () => "too many")).rejects.toMatchObject({ code: "OVERLOADED" });
    first.end();
    await running;
    expect(await waiting).toBe("waited");
    expect(await queue.run(long, async () => "again")).toBe("again");
  });

  it("gives up on what waits past its deadline, without doing it", async () => {
    const queue = new RequestQueue({ inFlightMax: 1, waitingMax: 10 });
    const first = held();
    const running = queue.run(long, first.work);
    let isDone = false;
    const late = queue.run(20, async () => {
      isDone = true;
    });
    await expect(late).rejects.toMatchObject({ code: "DEADLINE", message: expect.stringContaining("20 ms") });
    first.end();
    await running;
    expect(await queue.run(long, async (leftMs) => leftMs <= long)).toBe(true);
    expect(isDone).toBe(false);
  });

  it("frees the place of work that fails", async () => {
    const queue = new RequestQueue({ inFlightMax: 1, waitingMax: 1 });
    await expect(queue.run(long, () => Promise.reject(new Error("failed")))).rejects.toThrow("failed");
    expect(await queue.run(long, async () => "next")).toBe("next");
  });
});
