import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, open, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { TributaryError } from "@tributary/shared/contracts/errors";
import type { z } from "zod";
import type { LakeFile } from "../core/run-manifest.ts";

/** The lake's files. Paths are relative to its root; what is written is on disk before the call returns. */
export interface Lake {
  readonly root: string;
  absolute(path: string): string;
  makeDirectory(path: string): Promise<void>;
  /** The JSON at a path, checked; undefined when there is none. @throws TributaryError CORRUPT */
  readJson<T>(path: string, schema: z.ZodType<T>): Promise<T | undefined>;
  /** Appears whole or not at all. */
  writeJson(path: string, value: unknown): Promise<void>;
  /** Flushes a file to disk and describes it. */
  seal(path: string, rows: number): Promise<LakeFile>;
  /** @throws TributaryError CORRUPT when the file is missing or not the one described */
  verify(file: LakeFile): Promise<void>;
  exists(path: string): Promise<boolean>;
  move(from: string, to: string): Promise<void>;
  /** Names in a directory; none when it does not exist. */
  list(path: string): Promise<readonly string[]>;
  remove(path: string): Promise<void>;
}

export function openLake(root: string): Lake {
  const absolute = (path: string) => join(root, path);
  return {
    root,
    absolute,
    makeDirectory: async (path) => {
      await mkdir(absolute(path), { recursive: true });
    },
    readJson: (path, schema) => readJson(absolute(path), path, schema),
    writeJson: (path, value) => writeJson(absolute(path), value),
    seal: (path, rows) => seal(absolute(path), path, rows),
    verify: (file) => verify(absolute(file.path), file),
    exists: (path) => stat(absolute(path)).then(() => true, isMissing(false)),
    move: async (from, to) => {
      await mkdir(dirname(absolute(to)), { recursive: true });
      await rename(absolute(from), absolute(to));
    },
    list: (path) => readdir(absolute(path)).catch(isMissing<string[]>([])),
    remove: (path) => rm(absolute(path), { recursive: true, force: true }),
  };
}

function isMissing<T>(fallback: T): (error: unknown) => T {
  return (error) => {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return fallback;
    throw error;
  };
}

async function readJson<T>(path: string, name: string, schema: z.ZodType<T>): Promise<T | undefined> {
  const text = await readFile(path, "utf8").catch(isMissing<string | undefined>(undefined));
  if (text === undefined) return undefined;
  try {
    return schema.parse(JSON.parse(text));
  } catch (error) {
    throw new TributaryError("CORRUPT", `the lake's file ${name} is not a manifest of a known format`, {
      cause: error,
    });
  }
}

async function writeJson(path: string, value: unknown): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const temporary = `${path}.${process.pid}.tmp`;
  const file = await open(temporary, "w");
  try {
    await file.writeFile(JSON.stringify(value, undefined, 2));
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
  await syncDirectory(dirname(path));
}

async function seal(path: string, name: string, rows: number): Promise<LakeFile> {
  const file = await open(path, "r+");
  try {
    await file.sync();
  } finally {
    await file.close();
  }
  await syncDirectory(dirname(path));
  return { path: name, rows, bytes: (await stat(path)).size, sha256: await hashOf(path) };
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, "r");
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

async function verify(path: string, file: LakeFile): Promise<void> {
  const found = await stat(path).catch(isMissing(undefined));
  if (found === undefined) throw new TributaryError("CORRUPT", `the lake's file ${file.path} is missing`);
  if (found.size !== file.bytes || (await hashOf(path)) !== file.sha256) {
    throw new TributaryError("CORRUPT", `the lake's file ${file.path} is not the one its manifest describes`);
  }
}

async function hashOf(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const piece of createReadStream(path)) hash.update(piece as Buffer);
  return hash.digest("hex");
}
