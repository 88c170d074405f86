import type { RequestRow } from "@tributary/client/tributary";
import type { Work } from "../../load.ts";
import type { Reader } from "../../read-target.ts";

/**
 * Two services asked the same way: Node's `fetch`, JSON there and back, connections kept open. Each answer is parsed whole and
 * must have a column a feature and a value a row, none of them missing in what is looked at: a fast wrong answer is no result.
 */
interface Dialect {
  readonly path: string;
  readonly body: (service: string, rows: readonly RequestRow[]) => object;
  readonly columns: (reply: unknown) => readonly Column[];
}

export interface Column {
  readonly name: string;
  readonly values: readonly unknown[];
}

export const feast: Dialect = {
  path: "/get-online-features",
  // Feature names repeat from view to view, so they are asked for in full; keys go by column.
  body: (service, rows) => ({
    feature_service: service,
    entities: { id: rows.map(({ id }) => id) },
    full_feature_names: true,
  }),
  columns: (reply) => {
    const { metadata, results } = reply as FeastReply;
    // The first columns repeat the keys.
    return results.flatMap(({ values }, place) => {
      const name = metadata.feature_names[place] ?? "";
      return name.includes("__") ? [{ name: name.replace("__", "_"), values }] : [];
    });
  },
};

interface FeastReply {
  readonly metadata: { readonly feature_names: readonly string[] };
  readonly results: readonly { readonly values: readonly unknown[] }[];
}

export const ours: Dialect = {
  path: "/v1/features/read",
  body: (featureService, keys) => ({ featureService, keys }),
  columns: (reply) => (reply as { readonly columns: readonly Column[] }).columns,
};

export function feastInJson(url: string): Reader {
  return jsonReader(url, feast);
}

export function oursInJson(url: string): Reader {
  return jsonReader(url, ours);
}

/** One answer's columns. @throws Error with the status and the beginning of what is not an answer */
export async function askInJson(url: string, dialect: Dialect, body: string): Promise<readonly Column[]> {
  const response = await fetch(new URL(dialect.path, url), {
    method: "POST",
    body,
    headers: { "content-type": "application/json" },
  });
  if (!response.ok) throw new Error(`status ${response.status}: ${(await response.text()).slice(0, 300)}`);
  return dialect.columns(await response.json());
}

function jsonReader(url: string, dialect: Dialect): Reader {
  return {
    prepare: (service, pool): Work => {
      const asked = pool.map((rows) => ({ rows: rows.length, body: JSON.stringify(dialect.body(service, rows)) }));
      let columnsWanted: number | undefined;
      return async (request) => {
        const { rows, body } = asked[request % asked.length] as (typeof asked)[number];
        const columns = await askInJson(url, dialect, body);
        columnsWanted ??= columns.length;
        if (columns.length !== columnsWanted || !columns.every((one) => isWhole(one, rows))) {
          throw new Error(`${service}: an answer of ${columns.length} features lacks values`);
        }
        return rows * columns.length;
      };
    },
    close: async () => {},
  };
}

function isWhole({ values }: Column, rows: number): boolean {
  return values.length === rows && values[0] != null && values[rows - 1] != null;
}
