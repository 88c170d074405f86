import { ordinaryClock } from "@tributary/shared/contracts/clock";
import type { Bucket } from "@tributary/shared/messaging/contract";
import { decodeClock } from "@tributary/shared/runtime/clock-client";
import { expect, it } from "vitest";
import { driveClock } from "./clock-driver.ts";

it("does not show a jump before every process follows it: events published behind it would come from the future", async () => {
  let record = ordinaryClock;
  let letFollow = (): void => {};
  const bucket = {
    get: async () => undefined,
    put: async (_key: string, value: Uint8Array) => {
      record = decodeClock(value);
      return 1;
    },
  } as unknown as Bucket;
  const clock = await driveClock(
    bucket,
    1_000,
    () =>
      new Promise<void>((done) => {
        letFollow = done;
      }),
  );
  const paused = clock.pauseAt(9_000);
  await new Promise((done) => setImmediate(done));
  expect(record).toMatchObject({ simulatedMs: 9_000, rate: 0 });
  expect(clock.now()).toBe(1_000);
  letFollow();
  expect(await paused).toBe(9_000);
  expect(clock.now()).toBe(9_000);
  const late = clock.pauseAt(8_000);
  await new Promise((done) => setImmediate(done));
  letFollow();
  expect(await late).toBe(9_000);
});
