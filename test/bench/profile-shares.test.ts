import { expect, it } from "vitest";
import { profileShares } from "../../bench/profile-shares.ts";

it("a profile is told as shares of the time that was not idle, what Node does as its caller's", () => {
  const frame = (id: number, functionName: string, url: string, ...children: number[]) => {
    return { id, callFrame: { functionName, url }, children };
  };
  const text = profileShares({
    nodes: [
      frame(0, "(root)", "", 1, 2, 3, 4, 6, 8),
      frame(1, "(idle)", ""),
      frame(2, "readRecord", "file:///a/services/online-store/src/core/record-read.ts"),
      frame(3, "", "file:///a/node_modules/@scope/library/dist/x.js", 5),
      frame(4, "(garbage collector)", ""),
      frame(5, "write", "node:net", 7),
      frame(6, "onread", "node:net"),
      frame(7, "writeBuffer", ""),
      frame(8, "", "file:///a/bench/profile-preload.mjs", 9),
      frame(9, "dispatch", ""),
    ],
    samples: [1, 2, 2, 3, 4, 5, 6, 7, 8, 9],
    timeDeltas: [1_000, 300, 200, 250, 150, 50, 2, 48, 500, 500],
  });
  expect(text.split("\n").map((line) => line.trim())).toEqual([
    "idle 50.0 %",
    "50.0 %  core/record-read.ts",
    "34.8 %  node_modules/@scope/library",
    "15.0 %  (garbage collector)",
    "",
    "50.0 %  readRecord  core/record-read.ts",
    "25.0 %  (anonymous)  node_modules/@scope/library",
    "15.0 %  (garbage collector)  (garbage collector)",
    "5.0 %  write  node_modules/@scope/library",
    "4.8 %  writeBuffer  node_modules/@scope/library",
  ]);
});
