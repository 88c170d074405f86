import { chmodSync, mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { directoryFor, unprivilegedUser } from "@tributary/local/server-user";
import { startServers } from "@tributary/local/servers";
import pg from "pg";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { temporaryDirectory } from "../support/temporary-directory.ts";

const isRoot = process.getuid?.() === 0;
const realTemporary = process.env.TMPDIR;
let base: ReturnType<typeof temporaryDirectory>;

beforeEach(() => {
  base = temporaryDirectory("user");
  chmodSync(base.path, 0o755);
});

afterEach(() => {
  if (realTemporary === undefined) delete process.env.TMPDIR;
  else process.env.TMPDIR = realTemporary;
  base.remove();
});

describe("PostgreSQL's user", () => {
  it("is ourselves, unless we are root", () => {
    const user = unprivilegedUser();
    expect(user === undefined).toBe(!isRoot);
    if (user !== undefined) expect(user.uid).toBeGreaterThan(0);
  });

  it.runIf(isRoot)("owns its data, which nobody else reads, below the data directory", () => {
    const directory = join(base.path, "data");
    const place = directoryFor(unprivilegedUser(), directory);
    expect(place).toBe(join(directory, "postgres"));
    expect(statSync(place).uid).toBe(unprivilegedUser()?.uid);
    expect(statSync(place).mode & 0o777).toBe(0o700);
  });

  it.runIf(isRoot)(
    "gets a place of its own, the same each time, when the way to the data directory is closed",
    async () => {
      process.env.TMPDIR = join(base.path, "tmp");
      mkdirSync(process.env.TMPDIR, { mode: 0o755 });
      mkdirSync(join(base.path, "home"), { mode: 0o700 });
      const directory = join(base.path, "home", "clone", ".tributary");
      for (const time of ["first", "again"]) {
        const servers = await startServers({ directory, need: ["postgres"], fsync: false });
        const client = new pg.Client(servers.postgres.url);
        await client.connect();
        if (time === "first") await client.query("create table kept as select 1 as one");
        expect((await client.query("select one from kept")).rows).toEqual([{ one: 1 }]);
        await client.end();
        await servers.stop();
      }
      expect(statSync(join(base.path, "home")).mode & 0o777).toBe(0o700);
      expect(directoryFor(unprivilegedUser(), directory)).toContain(process.env.TMPDIR);
    },
  );
});
