import type { CatalogBody } from "@tributary/shared/contracts/catalog";
import { type ApplyGrounds, type ApplyOptions, type ApplyReport, applyCatalog } from "./apply.ts";
import type { Change } from "./change.ts";
import { greatestVersion, type Past } from "./past.ts";
import { planCatalog } from "./plan.ts";

export interface RestoreReport extends ApplyReport {
  /** The version whose definitions these are. */
  readonly restored: number;
  /** Views and sources that could not take their number of then again, and got one that was never used. */
  readonly raised: readonly Raised[];
}

export interface Raised {
  readonly what: "view" | "source";
  readonly name: string;
  readonly from: number;
  readonly to: number;
}

/**
 * Applies what an earlier version said as a new version, by the same rules as `applyCatalog`. A view whose version of then
 * cannot honestly be read again gets one that was never used, and begins empty.
 * @throws TributaryError NOT_FOUND without that version, and all that `applyCatalog` throws
 */
export async function restoreCatalog(
  version: number,
  options: Omit<ApplyOptions, "body" | "goBack">,
): Promise<RestoreReport> {
  let raised: readonly Raised[] = [];
  const body = async (grounds: ApplyGrounds): Promise<CatalogBody> => {
    const { body: then } = await grounds.history.read(version);
    const fitted = fitToPast(then, grounds.live.body, grounds.past);
    raised = fitted.raised;
    return fitted.body;
  };
  const message = options.message ?? `restore version ${version}`;
  const report = await applyCatalog({ ...options, message, goBack: true, body });
  return { ...report, restored: version, raised };
}

export function fitToPast(
  body: CatalogBody,
  live: CatalogBody | undefined,
  past: Past,
): { readonly body: CatalogBody; readonly raised: readonly Raised[] } {
  const stuck = planCatalog(live, body, past).changes.filter(({ needs }) => needs === "newVersion");
  const views = new Set(stuck.flatMap(viewOf));
  const sources = new Set(stuck.flatMap(({ what, name }) => (what === "source" ? [name] : [])));
  const raised: Raised[] = [];
  const raise = <T extends { readonly name: string; readonly version: number }>(
    what: Raised["what"],
    definition: T,
    greatest: number,
  ): T => {
    const to = Math.max(greatest, definition.version) + 1;
    raised.push({ what, name: definition.name, from: definition.version, to });
    return { ...definition, version: to };
  };
  const raisedBody = {
    ...body,
    views: mapValues(body.views, (view) =>
      views.has(view.name) ? raise("view", view, greatestVersion(past, view.name)) : view,
    ),
    sources: mapValues(body.sources, (source) => {
      if (source.kind !== "event" || !sources.has(source.name)) return source;
      const last = past.sources.get(source.name);
      return raise("source", source, last?.kind === "event" ? last.version : 0);
    }),
  };
  return { body: raisedBody, raised };
}

/** A feature is `view.feature`. */
function viewOf({ what, name }: Change): string[] {
  if (what === "view") return [name];
  return what === "feature" ? [name.slice(0, name.indexOf("."))] : [];
}

function mapValues<T>(members: Readonly<Record<string, T>>, change: (value: T) => T): Record<string, T> {
  return Object.fromEntries(Object.entries(members).map(([name, value]) => [name, change(value)]));
}
