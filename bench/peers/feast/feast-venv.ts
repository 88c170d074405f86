import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Refusal } from "../../refusal.ts";
import { PythonFailure, runPython } from "./run-python.ts";

export const feastVersion = "0.67.0";
const requirement = `feast[redis]==${feastVersion}`;
/** Git ignores it. Kept from run to run. */
const defaultFolder = fileURLToPath(new URL(`../../../.tributary/peers/feast-${feastVersion}`, import.meta.url));

export interface FeastVenv {
  /** Path of a program of it: `python`, `feast`. */
  readonly program: (name: string) => string;
  /** Of what answers, by name. */
  readonly versions: Readonly<Record<string, string>>;
}

export interface VenvOptions {
  readonly note: (line: string) => void;
  readonly signal: AbortSignal;
  readonly folder?: string;
  /** Our own, with pip's settings in it; PYTHON names the interpreter. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

/** Feast in a virtual environment of its own, installed when it is not there yet. @throws Refusal saying what to do */
export async function ensureFeast(options: VenvOptions): Promise<FeastVenv> {
  const { note, folder = defaultFolder } = options;
  const program = (name: string) => join(folder, "bin", name);
  const found = await versionsOf(program("python"), options);
  if (found?.feast === feastVersion) return { program, versions: found };
  note(`feast: installing ${requirement} into ${folder} (once; some hundred MB) …`);
  await create(folder, options);
  await install(program("python"), folder, options);
  const versions = await versionsOf(program("python"), options);
  if (versions?.feast === feastVersion) return { program, versions };
  throw new Refusal(`Feast was installed into ${folder} but does not start: remove that folder and try again`, 1);
}

async function create(folder: string, { signal, environment = process.env }: VenvOptions): Promise<void> {
  const python = environment.PYTHON ?? "python3";
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  try {
    await runPython({ program: python, args: ["-m", "venv", folder], environment, signal });
  } catch (error) {
    const need = "Feast needs Python 3.10 or later with its venv module (Debian: apt-get install python3-venv)";
    throw refusal(error, `${need}; PYTHON may name another interpreter than "${python}"`);
  }
}

async function install(
  python: string,
  folder: string,
  { signal, environment = process.env }: VenvOptions,
): Promise<void> {
  const args = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", requirement];
  try {
    await runPython({ program: python, args, environment, signal });
  } catch (error) {
    const again = `${join(folder, "bin", "pip")} install '${requirement}'`;
    throw refusal(
      error,
      `PyPI was not reached, or has no Feast for this Python; pip's own settings are honoured: ${again}`,
    );
  }
}

/** @throws the signal's reason as it is */
function refusal(error: unknown, advice: string): unknown {
  return error instanceof PythonFailure ? new Refusal(`${advice}\n${error.message}`, 1) : error;
}

const packages = ["feast", "redis", "hiredis", "gunicorn", "uvicorn", "uvloop", "fastapi"];
const tellVersions = `
import json, platform
from importlib.metadata import version
print(json.dumps({"python": platform.python_version(), **{name: version(name) for name in ${JSON.stringify(packages)}}}))
`;

/** Undefined: it is not there, or not whole. */
async function versionsOf(
  python: string,
  { signal }: VenvOptions,
): Promise<Readonly<Record<string, string>> | undefined> {
  let told: Record<string, string> | undefined;
  const onLine = (line: string) => {
    told = JSON.parse(line);
  };
  try {
    await runPython({ program: python, args: ["-c", tellVersions], environment: {}, signal, onLine });
    return told;
  } catch (error) {
    if (error instanceof PythonFailure) return undefined;
    throw error;
  }
}
