import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { listProcesses } from "@tributary/local/process-table";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { temporaryDirectory } from "../support/temporary-directory.ts";
import { until } from "../support/until.ts";
import { type GuideStep, missingLines, stepsOf } from "./guide-blocks.ts";
import { guideEnvironment } from "./guide-environment.ts";
import { type GuideShell, openGuideShell, type Terminal } from "./guide-shell.ts";

/** The guide, command by command as it stands there, from an empty folder outside the clone, on packed packages. */
const page = fileURLToPath(new URL("../../docs/guides/your-first-feature-repository.md", import.meta.url));
const steps = stepsOf(readFileSync(page, "utf8"));
const temporary = temporaryDirectory("guide");
const runsOn = "npm run dev";

/** A step may install packages on a machine that has other things to do. */
const stepMsMax = 240_000;

let shell: GuideShell;
let dev: Terminal | undefined;
let begunMs = 0;
let failed: string | undefined;

beforeAll(() => {
  shell = openGuideShell(temporary.path, guideEnvironment());
  begunMs = performance.now();
});

afterAll(async () => {
  dev?.signal("SIGTERM");
  await dev?.ended;
  await shell?.close();
  temporary.remove();
});

/** Gives the commands, and waits for what the guide shows. */
async function follow({ commands, shown }: GuideStep): Promise<void> {
  if (commands.trim() === runsOn) {
    const terminal = await shell.openTerminal(commands);
    dev = terminal;
    return await waitFor(shown?.text ?? "", async () => terminal.output());
  }
  const first = await shell.run(commands);
  expect(first.exitCode, first.output).toBe(0);
  // What a lane took is readable a moment later: a command that reads is given again.
  const last = commands.trim().split("\n").at(-1) ?? "";
  const again = async () => (last.includes("tributary get") ? (await shell.run(last)).output : first.output);
  if (shown !== undefined) await waitFor(shown.text, again, first.output);
}

async function waitFor(shown: string, look: () => Promise<string>, before = ""): Promise<void> {
  let output = before;
  await until(async () => {
    if (missingLines(shown, output).length === 0) return true;
    output = await look();
    return false;
  }).catch(() => expect(missingLines(shown, output), output).toEqual([]));
}

describe("the guide to a first feature repository", () => {
  it.each(steps.map((step, i) => [i + 1, step.commands.trim(), step] as const))(
    "step %i: %s",
    async (_i, _, step) => {
      expect(failed, "a step before this one has failed").toBeUndefined();
      failed = step.commands;
      await follow(step);
      failed = undefined;
    },
    stepMsMax,
  );

  it("took a while, and ends at Ctrl-C with nothing left running", async () => {
    process.stdout.write(
      `from the first command to the last: ${((performance.now() - begunMs) / 1_000).toFixed(1)} s\n`,
    );
    dev?.signal("SIGINT");
    await dev?.ended; // with whatever code: npm ends itself by the signal, after what it runs
    expect(dev?.output()).toContain("nothing is left running");
    expect(listProcesses(join(temporary.path, "my-features/.tributary"))).toEqual([]);
  });
});

describe("the guide's markdown", () => {
  it("shows output for each lane, and every command is in a block", () => {
    const shown = steps.map((step) => step.shown?.text ?? "").join("\n");
    for (const lane of ["batch   PRESENT", "direct  PRESENT", "stream  PRESENT"]) expect(shown).toContain(lane);
    expect(steps.length).toBeGreaterThanOrEqual(10);
  });
});
