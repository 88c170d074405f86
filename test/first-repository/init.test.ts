import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { mergeManifest } from "@tributary/cli/init/package-manifest";
import { templateFiles } from "@tributary/cli/init/repository-files";
import { afterAll, describe, expect, it } from "vitest";
import { runCli } from "../cli/run-cli.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const temporary = temporaryDirectory("init");
afterAll(() => temporary.remove());

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly type: string;
  readonly scripts: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
}

const readManifest = (file: string) => JSON.parse(readFileSync(file, "utf8")) as Manifest;
const init = (folder: string, ...args: string[]) => runCli(["init", ...args], { directory: folder });

function folder(name: string, files: Readonly<Record<string, string>> = {}): string {
  const path = join(temporary.path, name);
  mkdirSync(path, { recursive: true });
  for (const [file, text] of Object.entries(files)) writeFileSync(join(path, file), text);
  return path;
}

const npmInit = JSON.stringify({
  name: "found",
  main: "index.js",
  scripts: { test: 'echo "Error: no test specified" && exit 1' },
  license: "ISC",
  type: "commonjs",
  dependencies: { "@tributary/cli": "file:packages/tributary-cli-0.1.0.tgz" },
});

describe("tributary init", () => {
  it("writes every file of the template into an empty folder, and names it after the folder", async () => {
    const empty = folder("My Features");
    const { code, stdout } = await init(empty);
    expect(code).toBe(0);
    const expected = [...templateFiles("x").map(({ path }) => path), "package.json"];
    for (const path of expected) expect(existsSync(join(empty, path)), path).toBe(true);
    expect(expected).toContain(".gitignore");
    expect(readManifest(join(empty, "package.json"))).toMatchObject({ name: "my-features", type: "module" });
    expect(readFileSync(join(empty, "README.md"), "utf8")).toMatch(/^# my-features\n/);
    expect(stdout).toContain("npm run dev");
  });

  it("makes the folder it is given, and tells under --json what it wrote", async () => {
    const { code, json } = await init(temporary.path, "new/here", "--name", "@acme/features", "--json");
    expect(code).toBe(0);
    expect(json()).toMatchObject({
      ok: true,
      data: {
        folder: join(temporary.path, "new/here"),
        name: "@acme/features",
        next: expect.arrayContaining(["cd new/here"]),
      },
    });
    expect(readManifest(join(temporary.path, "new/here/package.json")).name).toBe("@acme/features");
  });

  it("writes nothing when a file is in the way, and says which", async () => {
    const taken = folder("taken", { "features.ts": "mine", "read.ts": "mine too" });
    const { code, stderr } = await init(taken);
    expect(code).toBe(2);
    expect(stderr).toContain("has features.ts, read.ts already");
    expect(readdirSync(taken).sort()).toEqual(["features.ts", "read.ts"]);
    expect(readFileSync(join(taken, "features.ts"), "utf8")).toBe("mine");
  });

  it("replaces them with --force", async () => {
    const taken = folder("forced", { "features.ts": "mine" });
    expect((await init(taken, "--force")).code).toBe(0);
    expect(readFileSync(join(taken, "features.ts"), "utf8")).toContain("featureService(");
  });

  it("refuses a name that npm would refuse", async () => {
    const { code, stderr } = await init(folder("named"), "--name", "My Features");
    expect(code).toBe(2);
    expect(stderr).toContain('"My Features" is no name of a package');
  });

  it("refuses a package.json that is none, and leaves it", async () => {
    const broken = folder("broken", { "package.json": "{" });
    const { code, stderr } = await init(broken);
    expect(code).toBe(2);
    expect(stderr).toContain("package.json");
    expect(readdirSync(broken)).toEqual(["package.json"]);
  });
});

describe("a package.json that is there", () => {
  it("gets what it lacks when npm has just made it, and keeps packages that were installed from files", async () => {
    const made = folder("made", { "package.json": npmInit });
    expect((await init(made)).code).toBe(0);
    const manifest = readManifest(join(made, "package.json"));
    expect(manifest).toMatchObject({ name: "found", type: "module", license: "ISC" });
    expect(manifest.scripts).toMatchObject({ dev: "tributary dev", test: expect.stringContaining("node") });
    expect(manifest.dependencies["@tributary/cli"]).toBe("file:packages/tributary-cli-0.1.0.tgz");
    expect(manifest.devDependencies).not.toHaveProperty("@tributary/cli");
    expect(manifest.devDependencies).toHaveProperty("typescript");
  });

  it("keeps the scripts that somebody wrote, and tells", async () => {
    const own = folder("own", { "package.json": '{"name":"own","type":"module","scripts":{"test":"vitest"}}' });
    const { code, stderr } = await init(own);
    expect({ code, stderr }).toMatchObject({ code: 0, stderr: expect.stringContaining('keeps its own script "test"') });
    expect(readManifest(join(own, "package.json"))).toMatchObject({
      scripts: { test: "vitest", dev: "tributary dev" },
    });
    expect(readManifest(join(own, "package.json"))).not.toHaveProperty("private");
  });

  it("is refused while its modules are CommonJS and somebody has worked on it", () => {
    const template = { scripts: { dev: "tributary dev" } };
    const found = { type: "commonjs", scripts: { start: "node server.js" } };
    expect(() => mergeManifest(found, template, { name: undefined, force: false })).toThrow(/type "commonjs".*--force/);
    const { manifest } = mergeManifest(found, template, { name: undefined, force: true });
    expect(manifest).toMatchObject({ type: "module", scripts: { start: "node server.js", dev: "tributary dev" } });
  });
});

describe("the template", () => {
  const template = readManifest(join(root, "packages/cli/templates/feature-repository/package.json"));
  const needed = { ...template.dependencies, ...template.devDependencies };

  it("asks for the packages of this build", () => {
    const folders = ["packages/cli", "packages/client", "packages/local", "packages/shared"].concat(
      ["batch-runner", "direct-gateway", "online-store", "stream-processor"].map((name) => `services/${name}`),
    );
    for (const path of folders) {
      const { name, version } = readManifest(join(root, path, "package.json"));
      expect(needed[name], name).toBe(version);
    }
  });

  it("asks for the tools that this build is tested with", () => {
    const { devDependencies } = readManifest(join(root, "package.json"));
    for (const tool of ["@types/node", "tsx", "typescript"]) expect(needed[tool], tool).toBe(devDependencies[tool]);
  });
});
