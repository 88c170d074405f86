import { TributaryError } from "@tributary/shared/contracts/errors";
import type { QueryReader } from "../handlers/land-query.ts";
import { openPostgresQuery } from "./postgres-query.ts";

export interface SourceQueryOptions {
  /** Connection → URL, from `SOURCE_<NAME>_URL`. */
  readonly urls: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly rowsMax: number;
}

/** The queries of the catalog's PostgreSQL sources, with the URLs that this process was given. */
export function sourceQueries({ urls, timeoutMs, rowsMax }: SourceQueryOptions): QueryReader {
  return {
    rowsMax,
    open: async (source, signal) => {
      const url = Object.hasOwn(urls, source.connection) ? urls[source.connection] : undefined;
      if (url === undefined) {
        const variable = `SOURCE_${source.connection.toUpperCase()}_URL`;
        const why = `source "${source.name}" reads connection "${source.connection}", and ${variable} is not set`;
        throw new TributaryError("BAD_CONFIG", why);
      }
      return openPostgresQuery(source, { url, timeoutMs, signal });
    },
  };
}
