import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { aptScript } from "@tributary/local/apt-script";
import type { Binaries } from "@tributary/local/find-binaries";
import { ensureBinaries, type Machine } from "@tributary/local/install-servers";
import { describe, expect, it, onTestFinished } from "vitest";
import { temporaryDirectory } from "../support/temporary-directory.ts";

const all: Binaries = { nats: "/n", redis: "/r", postgres: { postgres: "/p", initdb: "/i" } };

/** A machine without Redis and PostgreSQL, and what was said to and run on it. */
function machine(change: Partial<Machine> = {}) {
  const said: string[] = [];
  const scripts: string[] = [];
  let binaries: Binaries = { nats: "/n" };
  const subject: Machine = {
    binaries: () => binaries,
    packageManager: "apt",
    isRoot: true,
    hasSudo: false,
    isTerminal: false,
    installForbidden: false,
    say: (line) => said.push(line),
    ask: async () => "y",
    runAsRoot: (script) => {
      scripts.push(script);
      binaries = all;
      return 0;
    },
    ...change,
  };
  return { subject, said, scripts };
}

const need = ["nats", "redis", "postgres"] as const;
const attempt = (subject: Machine, yes = false) => ensureBinaries(need, { yes, machine: subject });

describe("missing servers", () => {
  it("are installed after saying so when nobody can be asked", async () => {
    const { subject, said, scripts } = machine();
    expect(await attempt(subject)).toEqual(all);
    expect(said.join("\n")).toMatch(/Missing on this machine: redis-server, postgresql/);
    expect(scripts).toEqual([expect.stringContaining("install redis-server postgresql\n")]);
  });

  it("are installed only when the person at the terminal agrees", async () => {
    const { subject, scripts } = machine({ isTerminal: true, ask: async () => "n" });
    await expect(attempt(subject)).rejects.toThrow(/as you said.*sudo apt-get install redis-server postgresql/);
    expect(scripts).toEqual([]);
  });

  it("are installed without asking when the person said so before", async () => {
    const ask = async () => Promise.reject(new Error("asked"));
    expect(await attempt(machine({ isTerminal: true, ask }).subject, true)).toEqual(all);
  });

  it("are never installed where that is forbidden; the message says what to do instead", async () => {
    const { subject, scripts } = machine({ installForbidden: true });
    await expect(attempt(subject)).rejects.toThrow(
      /missing on this machine: redis, postgres \(TRIBUTARY_NO_INSTALL forbids.*Run: sudo apt-get install redis-server postgresql.*REDIS_URL, DATABASE_URL/,
    );
    expect(scripts).toEqual([]);
  });

  it("are left to an ordinary user without sudo, with the exact command", async () => {
    await expect(attempt(machine({ isRoot: false }).subject)).rejects.toThrow(/needs root.*sudo apt-get install redis/);
  });

  it("are left to the person where the package manager is another one, with its command", async () => {
    await expect(attempt(machine({ packageManager: "brew" }).subject)).rejects.toThrow(
      /Run: brew install redis postgresql@17\./,
    );
    await expect(attempt(machine({ packageManager: undefined }).subject)).rejects.toThrow(
      /your system's package manager/,
    );
  });

  it("are reported when apt fails or brings nothing", async () => {
    await expect(attempt(machine({ runAsRoot: () => 100 }).subject)).rejects.toThrow(/exit code 100/);
    await expect(attempt(machine({ runAsRoot: () => 0 }).subject)).rejects.toThrow(/still not found/);
  });

  it("do not matter when they are not needed", async () => {
    const { subject, scripts } = machine();
    expect(await ensureBinaries(["nats"], { yes: false, machine: subject })).toEqual({ nats: "/n" });
    expect(scripts).toEqual([]);
  });
});

describe("the installation script", () => {
  it("forbids starting anything while it installs, and puts everything back", () => {
    const { root, run } = pretendRoot({ "usr/sbin/policy-rc.d": "the machine's own" });
    run(["redis-server", "postgresql"]);
    expect(readFileSync(join(root, "seen"), "utf8").trim().split("\n")).toEqual([
      "policy 101, cluster absent: install postgresql-common",
      "policy 101, cluster create_main_cluster = false: install redis-server postgresql",
    ]);
    expect(readFileSync(join(root, "usr/sbin/policy-rc.d"), "utf8")).toBe("the machine's own");
    expect(readFileSync(join(root, "etc/postgresql-common/createcluster.conf"), "utf8")).toBe("# as shipped\n");
  });

  it("puts everything back when the installation fails", () => {
    const { root, run } = pretendRoot({});
    expect(() => run(["broken"])).toThrow();
    expect(existsSync(join(root, "usr/sbin/policy-rc.d"))).toBe(false);
  });

  it("leaves PostgreSQL's configuration alone when PostgreSQL is not installed", () => {
    expect(aptScript(["redis-server"])).not.toContain("create_main_cluster");
  });
});

/** A folder that stands for the machine's root, and an apt-get that notes what it sees. */
function pretendRoot(files: Record<string, string>) {
  const directory = temporaryDirectory("apt");
  onTestFinished(() => directory.remove());
  const root = directory.path;
  for (const folder of ["usr/sbin", "etc", "bin"]) mkdirSync(join(root, folder), { recursive: true });
  for (const [name, text] of Object.entries(files)) writeFileSync(join(root, name), text);
  const aptGet = join(root, "bin/apt-get");
  writeFileSync(aptGet, pretendApt(root));
  chmodSync(aptGet, 0o755);
  const run = (packages: readonly string[]) =>
    execFileSync("sh", ["-c", aptScript(packages, root)], {
      env: { PATH: `${join(root, "bin")}:${process.env.PATH}` },
      stdio: "pipe",
    });
  return { root, run };
}

function pretendApt(root: string): string {
  const cluster = `${root}/etc/postgresql-common/createcluster.conf`;
  return `#!/bin/sh
[ "$1" = install ] || exit 0
sh '${root}/usr/sbin/policy-rc.d'; policy=$?
cluster=absent
[ -e '${cluster}' ] && cluster=$(tail -n 1 '${cluster}')
mkdir -p '${root}/etc/postgresql-common'
[ -e '${cluster}' ] || echo '# as shipped' > '${cluster}'
shift 6
echo "policy $policy, cluster $cluster: install $*" >> '${root}/seen'
[ "$1" != broken ]
`;
}
