import type { CatalogBody } from "@tributary/shared/contracts/catalog";
import { TributaryError } from "@tributary/shared/contracts/errors";

/** @throws TributaryError INVALID_DEFINITION naming the views whose lane keeps its state in PostgreSQL, where there is none */
export function assertDirectOnly({ views }: CatalogBody): void {
  const others = Object.values(views).filter(({ lane }) => lane !== "direct");
  if (others.length === 0) return;
  const lines = others.map(
    ({ name, lane }) => `view "${name}" is of the ${lane} lane, which needs PostgreSQL, and DATABASE_URL is none`,
  );
  throw new TributaryError("INVALID_DEFINITION", lines.join("\n"));
}
