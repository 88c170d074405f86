import type { Detail } from "@tributary/client/read-rows";
import type { RequestRow } from "@tributary/client/tributary";
import { TributaryError } from "@tributary/shared/contracts/errors";
import { z } from "zod";
import { parseJson, splitGroups } from "../arguments.ts";
import type { Invocation } from "../command.ts";
import { readJson } from "../input/json-document.ts";
import type { CommandResult } from "../output.ts";
import { alignColumns, formatMs } from "../table.ts";
import { typedRows } from "../typed-rows.ts";
import { withClient } from "../with-connection.ts";
import type { World } from "../world.ts";

export interface GetFlags {
  readonly detail?: boolean;
  readonly keys?: string;
  readonly features?: string[];
}

const keysSchema = z.array(z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()]))).min(1);

export async function run(invocation: Invocation<GetFlags>): Promise<CommandResult> {
  const { args, options, settings, world } = invocation;
  const [service = "", ...pairs] = args;
  const given = options.keys === undefined ? splitGroups(pairs) : keysOf(await readKeys(options.keys, world));
  if (given.length === 0) throw new TributaryError("BAD_CONFIG", "give the join keys as KEY=VALUE, or --keys JSON");
  const narrowed = options.features ? { features: options.features } : {};
  const keys = options.keys === undefined ? await typedRows(settings.natsUrl(), service, given) : given;
  return withClient(settings.natsUrl(), async (client) => {
    if (options.detail) {
      const rows = await client.read(service, keys, { ...narrowed, detail: true });
      return { data: { keys, rows }, text: showAll(keys, rows, showDetail) };
    }
    const rows = await client.read(service, keys, narrowed);
    return { data: { keys, rows }, text: showAll(keys, rows, (value) => [JSON.stringify(value)]) };
  });
}

async function readKeys(text: string, { stdin }: World): Promise<unknown> {
  return text === "-" ? readJson(stdin, "--keys") : parseJson(text, "--keys");
}

function keysOf(json: unknown): RequestRow[] {
  const parsed = keysSchema.safeParse(Array.isArray(json) ? json : [json]);
  if (!parsed.success) throw new TributaryError("MALFORMED", "--keys must be a JSON array of objects of join keys");
  return parsed.data;
}

function showAll<T>(
  keys: readonly RequestRow[],
  rows: readonly Record<string, T>[],
  show: (cell: T) => readonly string[],
): string {
  const blocks = rows.map((row, i) => {
    const title = Object.entries(keys[i] ?? {}).map(([name, value]) => `${name}=${value}`);
    const lines = alignColumns(Object.entries(row).map(([name, cell]) => [`  ${name}`, ...show(cell)]));
    return `${title.join(" ")}\n${lines}`;
  });
  return blocks.join("\n\n");
}

function showDetail(cell: Detail): string[] {
  const age = cell.ageMs === null ? "-" : formatMs(cell.ageMs);
  return [JSON.stringify(cell.value), cell.lane ?? "-", cell.status, `age ${age}`, cell.fresh ? "fresh" : "stale"];
}
