import { z } from "zod";
import { TributaryError } from "../contracts/errors.ts";

/**
 * One option table per process gives environment variables, `--help` and the reference page.
 * A secret may come from a file: `<NAME>_FILE` names it.
 */
export interface ConfigOption<T extends z.ZodType = z.ZodType> {
  /** Environment variable. `<NAME>` in it stands for any name: the value is then a record of all that are set, by lower-case name. */
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
    const read = (env: string): string | undefined => {
      const file = environment[`${env}_FILE`];
      const text = environment[env] ?? (file === undefined ? undefined : readFile(file).trim());
      return text === "" ? undefined : text;
    };
    const parsed = option.schema.safeParse(isNamed(option) ? readNamed(option, environment, read) : read(option.env));
    if (!parsed.success) {
      const [issue] = parsed.error.issues;
      const env = option.env.replace(anyName, String(issue?.path[0] ?? anyName).toUpperCase());
      problems.push(`${env}: ${issue?.message ?? "malformed"} (${option.help})`);
    }
    return [name, parsed.data] as const;
  });
  if (problems.length > 0) throw new TributaryError("BAD_CONFIG", problems.join("; "));
  return Object.fromEntries(entries) as Config<T>;
}

const anyName = "<NAME>";

function isNamed({ env }: ConfigOption): boolean {
  return env.includes(anyName);
}

function readNamed(
  { env }: ConfigOption,
  environment: Readonly<Record<string, string | undefined>>,
  read: (env: string) => string | undefined,
): Record<string, string> {
  const pattern = new RegExp(`^${env.replace(anyName, "([A-Z][A-Z0-9_]*)")}(_FILE)?$`);
  const found = Object.keys(environment).flatMap((variable) => {
    const name = pattern.exec(variable)?.[1];
    const text = name === undefined ? undefined : read(env.replace(anyName, name));
    return name === undefined || text === undefined ? [] : [[name.toLowerCase(), text] as const];
  });
  return Object.fromEntries(found);
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
  /** Of a variable with `<NAME>` in it: one value for each name that is set. */
  named: <T extends z.ZodType>(value: T) => z.record(z.string(), value),
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
