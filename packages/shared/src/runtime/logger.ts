import { type Logger, pino } from "pino";

export type { Logger };

/** JSON lines on standard error; standard output belongs to data. Never log keys or values of entities. */
export function createLogger(options: { readonly name: string; readonly level: string }): Logger {
  return pino(
    {
      name: options.name,
      level: options.level,
      base: { name: options.name, pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
    },
    pino.destination({ dest: 2, sync: true }),
  );
}
