import { copyFileSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { subjects } from "@tributary/shared/contracts/subjects";
import { openConnection } from "@tributary/shared/messaging/connection";
import type { Connection } from "@tributary/shared/messaging/contract";
import { publishDeadLetter } from "@tributary/shared/messaging/dead-letter";
import { createPublisher } from "@tributary/shared/messaging/publisher";
import { type Mesh, startMesh } from "../../support/mesh.ts";
import { type CliHost, startCliHost } from "../cli-host.ts";
import { folderFor } from "../environment-file.ts";

/** A whole system, and a folder as the examples expect one. */
export interface ExampleWorld {
  readonly mesh: Mesh;
  readonly folder: string;
  readonly host: CliHost;
  readonly admin: Connection;
  publishEvent(): Promise<unknown>;
  stop(): Promise<void>;
}

const local = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const event = () => ({ origin: "ORD", destination: "LAX", delay: 5, at: new Date().toISOString() });

export async function startExampleWorld(): Promise<ExampleWorld> {
  const mesh = await startMesh({ environment: { BATCH_SCHEDULE: "off" } });
  const folder = folderFor(mesh.servers, { postgres: true });
  fillFolder(folder.path);
  landFlights(join(mesh.servers.directory, "lake", "raw", "flights"));
  const host = startCliHost(folder.path);
  const admin = await openConnection({ url: mesh.servers.nats.url("admin"), name: "test" });
  const publisher = createPublisher(admin, { stream: "TRIB_EVENTS" });
  const publishEvent = () =>
    publisher.publish({ subject: subjects.events("departures"), data: Buffer.from(JSON.stringify(event())) });
  const stop = async () => {
    host.stop();
    await admin.close();
    await mesh.stop();
    folder.remove();
  };
  return { mesh, folder: folder.path, host, admin, publishEvent, stop };
}

/** A repository of definitions, with what standard input is taken from. */
export function fillFolder(folder: string): void {
  symlinkSync(local("../../../node_modules"), join(folder, "node_modules"));
  writeFileSync(join(folder, "package.json"), '{"type":"module"}');
  copyFileSync(local("features.ts"), join(folder, "features.ts"));
  writeFileSync(join(folder, "events.ndjson"), `${JSON.stringify(event())}\n`.repeat(3));
  writeFileSync(join(folder, "keys.ndjson"), '{"origin":"ORD","destination":"LAX"}\n');
}

export function readInput(folder: string, file: string | undefined): string {
  return file === undefined ? "" : readFileSync(join(folder, file), "utf8");
}

function landFlights(folder: string): void {
  mkdirSync(folder, { recursive: true });
  const row = "2001-02-28T12:00:00Z,ORD,LAX,7";
  writeFileSync(join(folder, "flights.csv"), `date,origin,destination,delay\n${row}\n`);
}

/** As many letters as the examples' numbers ask for; each holds an event that can be published again. */
export async function setAside(admin: Connection, count: number): Promise<void> {
  for (let sequence = 1; sequence <= count; sequence++) {
    await publishDeadLetter(admin, {
      stream: "TRIB_EVENTS",
      sequence,
      lane: "stream",
      process: "test",
      subject: subjects.events("departures"),
      code: "BAD_VALUE",
      cause: "for the examples",
      deliveries: 1,
      payload: Buffer.from(JSON.stringify(event())),
    });
  }
}
