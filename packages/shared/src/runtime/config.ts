import { z } from "zod";
import { TributaryError } from "../contracts/errors.ts";

/**
 * One option table per process gives environment variables, `--help` and the reference page.
 * A secret may come from a file: `<NAME>_FILE` names it.
 */
export interface ConfigOption<T extends z.ZodType = z.ZodType> {
  /** Environment variable. */
  readonly env: string;
  readonly schema: T;
  /** What it is, with its unit. */
  readonly help: string;
  readonly secret?: boolean;
}

export type ConfigTable = Readonly<Record<string, ConfigOption>>;

export type Config<T extends ConfigTable> = { readonly [K in keyof T]: z.output<T[K]["schema"]> };

/**
 * Reads every option of the table from the environment.
 * @throws TributaryError BAD_CONFIG naming every variable that is missing or malformed
 */
export function readConfig<T extends ConfigTable>(
  table: T,
  environment: Readonly<Record<string, string | undefined>>,
  readFile: (path: string) => string,
): Config<T> {
  const problems: string[] = [];
  const entries = Object.entries(table).map(([name, option]) => {
    const file = environment[`${option.env}_FILE`];
    const text = environment[option.env] ?? (file === undefined ? undefined : readFile(file).trim());
    const parsed = option.schema.safeParse(text === "" ? undefined : text);
    if (!parsed.success)
      problems.push(`${option.env}: ${parsed.error.issues[0]?.message ?? "malformed"} (${option.help})`);
    return [name, parsed.data] as const;
  });
  if (problems.length > 0) throw new TributaryError("BAD_CONFIG", problems.join("; "));
  return Object.fromEntries(entries) as Config<T>;
}

/** The option table as help text, one line a variable. */
export function describeConfig(table: ConfigTable): string {
  const width = Math.max(...Object.values(table).map((option) => option.env.length));
  return Object.values(table)
    .map((option) => `  ${option.env.padEnd(width)}  ${option.help}`)
    .join("\n");
}

/** Schemas for values that come as text. */
export const text = {
  string: z.string({ error: "is missing" }),
  integer: (fallback: number, range: { min: number; max: number }) =>
    z.coerce.number({ error: "must be a whole number" }).int().min(range.min).max(range.max).default(fallback),
  url: (...protocols: string[]) =>
    z
      .string({ error: "is missing" })
      .refine((value) => protocols.some((protocol) => value.startsWith(`${protocol}://`)), {
        error: `must start with ${protocols.map((protocol) => `${protocol}://`).join(" or ")}`,
      }),
} as const;

/** Options every service has. */
export const commonOptions = {
  natsUrl: {
    env: "NATS_URL",
    schema: text.url("nats", "tls"),
    help: "NATS server with user and password, nats://user:password@host:port",
    secret: true,
  },
  instance: {
    env: "TRIBUTARY_INSTANCE",
    schema: z
      .string()
      .regex(/^[A-Za-z0-9_-]+$/)
      .optional(),
    help: "name of this instance; default: <service>-1",
  },
  logLevel: {
    env: "LOG_LEVEL",
    schema: z.enum(["trace", "debug", "info", "warn", "error", "silent"]).default("info"),
    help: "log level; default info",
  },
} as const satisfies ConfigTable;
