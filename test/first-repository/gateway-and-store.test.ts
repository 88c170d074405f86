import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { freePort } from "@tributary/local/free-port";
import { startServers } from "@tributary/local/servers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { installedPackages } from "../deploy/lone-service.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";
import { until } from "../support/until.ts";
import { type GuideStep, stepsOf } from "./guide-blocks.ts";
import { guideEnvironment } from "./guide-environment.ts";
import { type GuideShell, openGuideShell } from "./guide-shell.ts";

/** The guide as it stands there; only the ports are others, because somebody may use those of the page. */
const page = fileURLToPath(new URL("../../docs/guides/gateway-and-store-only.md", import.meta.url));
const markdown = readFileSync(page, "utf8");
const steps = stepsOf(markdown);
const temporary = temporaryDirectory("scores");
const ports = new Map<string, string>();

/** A step may install packages on a machine that has other things to do. */
const stepMsMax = 240_000;

let shell: GuideShell;
let failed: string | undefined;

beforeAll(async () => {
  for (const port of ["4222", "6379", "7401", "7402"]) ports.set(port, String(await freePort()));
  shell = openGuideShell(temporary.path, guideEnvironment());
});

afterAll(async () => {
  await shell?.close();
  temporary.remove();
});

const here = (commands: string) => commands.replaceAll(/\b(4222|6379|740[12])\b/g, (port) => ports.get(port) ?? port);
const run = (commands: string) => shell.run(here(commands));

async function follow({ commands, shown }: GuideStep): Promise<void> {
  const first = await run(commands);
  expect(first.exitCode, first.output).toBe(0);
  if (shown?.language !== "json") return;
  const expected = JSON.parse(shown.text) as object;
  if (!commands.includes("/features/read")) return expect(JSON.parse(first.output)).toMatchObject(expected);
  // An accepted write is readable a moment later.
  await until(async () => {
    const output = await run(commands);
    expect(JSON.parse(output.output)).toMatchObject(expected);
    return true;
  });
}

describe("the guide to gateway and store alone", () => {
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

  it("installs no engine, and neither of the services that need PostgreSQL", () => {
    const installed = installedPackages(join(temporary.path, "scores"));
    expect(installed).toContain("@tributary/online-store");
    const unwanted = ["@duckdb/node-api", "@tributary/batch-runner", "@tributary/stream-processor"];
    expect(unwanted.filter((name) => installed.includes(name))).toEqual([]);
  });

  it("refuses views that need PostgreSQL, and says so", async () => {
    const { exitCode, output } = await run(
      `cat > windows.ts <<'END'
import { count } from "@tributary/shared/definitions/aggregation";
import { string, timestamp } from "@tributary/shared/definitions/feature-type";
import { eventSource } from "@tributary/shared/definitions/source";
import { streamView } from "@tributary/shared/definitions/view";
import { user } from "./features.ts";
export * from "./features.ts";
const clicks = eventSource("clicks", { fields: { user: string(), at: timestamp() }, eventTime: "at", disorder: "1m" });
export const clicksNow = streamView("clicks_now", {
  entity: user, from: clicks, keys: { user: "user" }, windows: ["5m"], hop: "1m", freshness: "10m", features: { clicks: count() },
});
END
npx --no-install tributary apply windows.ts`,
    );
    expect(exitCode, output).toBe(4);
    expect(output).toContain('view "clicks_now" is of the stream lane, which needs PostgreSQL');
  });

  it("grows: with a PostgreSQL later, the catalog's versions go on and those views are taken", async () => {
    const other = temporaryDirectory("scores-postgres");
    const servers = await startServers({ directory: other.path, need: ["postgres"], fsync: false });
    try {
      const grown = await run(`export DATABASE_URL='${servers.postgres.url}'
npx --no-install tributary admin ensure
npx --no-install tributary apply windows.ts`);
      expect(grown.exitCode, grown.output).toBe(0);
      expect(grown.output).toContain("applied as catalog version 2");
    } finally {
      await servers.stop();
      other.remove();
    }
  });
});
