import { expect, test } from "vitest";
import { noteRefused, noteSent, overdueError, type PendingPublish } from "./pending-publish.ts";

function item(): PendingPublish {
  return {
    token: "0",
    subject: "s",
    data: new Uint8Array(),
    headers: undefined,
    bytes: 0,
    deadlineMs: 1_000,
    resolve: () => {},
    reject: () => {},
    calledAt: 0,
    sentAt: undefined,
    nextSendAt: 0,
    sends: 0,
    isAwaiting: false,
    isDoubtful: false,
    last: "none",
  };
}

test("the outcome is known only when every send was refused", () => {
  const pending = item();
  expect(overdueError(pending, "S").code).toBe("UNAVAILABLE");
  noteSent(pending, 0, 100);
  expect(overdueError(pending, "S").code).toBe("UNKNOWN_OUTCOME");
  noteRefused(pending, "absent", 1);
  expect(overdueError(pending, "S").code).toBe("UNAVAILABLE");
  noteRefused(pending, "full", 2);
  expect(overdueError(pending, "S").code).toBe("STREAM_FULL");
});

test("a send that was never answered stays in doubt after a later 'nobody listens', not after a later 'full'", () => {
  const pending = item();
  noteSent(pending, 0, 100);
  noteSent(pending, 100, 100);
  noteRefused(pending, "absent", 101);
  expect(overdueError(pending, "S").code).toBe("UNKNOWN_OUTCOME");
  noteSent(pending, 200, 100);
  noteRefused(pending, "full", 201);
  expect(overdueError(pending, "S").code).toBe("STREAM_FULL");
});

test("pauses grow and are bounded", () => {
  const pending = item();
  const pauses = Array.from({ length: 40 }, () => {
    noteSent(pending, 0, 1_000);
    return pending.nextSendAt;
  });
  expect(pauses[0]).toBe(1_000);
  expect(pauses[1]).toBe(1_500);
  expect(pauses.at(-1)).toBe(10_000);
  noteRefused(pending, "full", 0);
  expect(pending.nextSendAt).toBe(2_000);
});
