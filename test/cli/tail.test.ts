import type { ChildProcess } from "node:child_process";
import { createPublisher } from "@tributary/shared/messaging/publisher";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { chunkOf, confirmationOf, type StoreRig, startStoreRig } from "../store/store-rig.ts";
import { folderFor } from "./environment-file.ts";
import { runCli } from "./run-cli.ts";

let rig: StoreRig;
let folder: ReturnType<typeof folderFor>;

beforeAll(async () => {
  rig = await startStoreRig();
  folder = folderFor(rig.servers, { postgres: false });
});
afterAll(async () => {
  await rig?.stop();
  folder?.remove();
});

/** Runs `tail`, and `act` once it listens. */
function tail(args: readonly string[], act: (child: ChildProcess) => unknown) {
  return runCli(["tail", ...args], {
    directory: folder.path,
    onStart: (child) => {
      let said = "";
      const onData = (text: string) => {
        said += text;
        if (!said.includes("listening on")) return;
        child.stderr?.off("data", onData);
        void act(child);
      };
      child.stderr?.on("data", onData);
    },
  });
}

const rows = () => chunkOf("congestion", [{ key: "KEY1", eventTime: 0, features: { score: 0.25 } }]);

describe("tail", () => {
  it("prints a view's chunks, without keys and values", async () => {
    const { code, stdout, stderr } = await tail(["congestion", "--count", "1"], () => rig.publish(rows()));
    expect({ code, stderr }).toEqual({ code: 0, stderr: "listening on trib.v1.rows.direct.*.congestion\n" });
    expect(stdout).toMatch(/rows {3}.*view=congestion.*rows=1.*features=\["score"\]\n$/);
    expect(stdout).not.toMatch(/KEY1|0\.25/);
  });

  it("prints keys and values when asked, as one JSON object a line", async () => {
    const { code, stdout } = await tail(["trib.v1.rows.>", "--values", "--json", "-n", "3"], async () => {
      await rig.publish(rows());
      await rig.publish(confirmationOf("route_profile", "ORD\u001fLAX", 0));
      await rig.publishBytes("trib.v1.rows.direct.p00.congestion", "direct", new Uint8Array([1]));
    });
    expect(code).toBe(0);
    const printed = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(printed).toMatchObject([
      { kind: "rows", lane: "direct", values: [{ key: ["KEY1"], features: { score: 0.25 } }] },
      { kind: "confirm", view: "route_profile", confirmedAt: "1970-01-01T00:00:00.000Z" },
      { kind: "unreadable", code: "MALFORMED" },
    ]);
  });

  it("prints a source's events when asked, and ends with 0 when interrupted", async () => {
    const publisher = createPublisher(rig.admin, { stream: "TRIB_EVENTS" });
    const data = new TextEncoder().encode('{"origin":"ORD"}');
    const { code, stdout } = await tail(["departures", "--values"], async (child) => {
      child.stdout?.once("data", () => child.kill("SIGINT"));
      await publisher.publish({ subject: "trib.v1.events.departures", data });
    });
    await publisher.close();
    expect(code).toBe(0);
    expect(stdout).toContain('source=departures  events=1  values=[{"origin":"ORD"}]');
  });

  it("knows neither unknown names nor broken subjects", async () => {
    const unknown = await runCli(["tail", "congeston"], { directory: folder.path });
    expect(unknown).toMatchObject({ code: 3, stderr: expect.stringContaining('did you mean "congestion"?') });
    expect((await runCli(["tail", "trib..x"], { directory: folder.path })).code).toBe(2);
  });
});
