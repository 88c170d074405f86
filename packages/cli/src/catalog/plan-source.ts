import type { CatalogBody } from "@tributary/shared/contracts/catalog";
import type { EventSource, TableSource } from "@tributary/shared/contracts/source";
import { addition, type Change, changeOf, type Place, type Remedy, removal, servicesOn } from "./change.ts";
import { differencesOf, type Rules } from "./difference.ts";
import { eventSourceRules, tableSourceRules } from "./evolution-rules.ts";
import type { Past } from "./past.ts";

type Source = EventSource | TableSource;

interface Surroundings {
  readonly current: CatalogBody;
  readonly past: Past;
}

/** What becomes of one source. One that comes back follows what it last was: positions in its events are kept. */
export function planSource(around: Surroundings, before: Source | undefined, after: Source | undefined): Change[] {
  const place: Place = { what: "source", name: after?.name ?? before?.name ?? "" };
  if (after === undefined) return [removal(place, null)];
  const earlier = before ?? around.past.sources.get(after.name);
  const changes = earlier === undefined ? [] : changeSource(around, earlier, after);
  return before === undefined && changes.every(({ needs }) => needs === null) ? [addition(place)] : changes;
}

function changeSource({ current }: Surroundings, before: Source, after: Source): Change[] {
  return changeOf(
    { what: "source", name: after.name },
    {
      differences: differencesOf(before, after, { rules: rulesFor(before, after), except: ["name"] }),
      remedy: remedyOf(before, after),
      breaks: servicesOn(current, ({ view }) => readsFrom(current, view, after.name)),
    },
  );
}

function rulesFor(before: Source, after: Source): Rules {
  if (before.kind !== after.kind) return {};
  return after.kind === "event" ? eventSourceRules : tableSourceRules;
}

/** Shards and kind are where a source's events are found: no version changes that. */
function remedyOf(before: Source, after: Source): Remedy | null {
  const isMoved = before.kind !== "event" || after.kind !== "event" || before.shards !== after.shards;
  if (isMoved) return { needs: "newName", fix: "define a new source, with new view versions that read it" };
  if (after.version > before.version) return null;
  return { needs: "newVersion", fix: `raise the version of source "${after.name}" above ${before.version}` };
}

function readsFrom(catalog: CatalogBody, view: string, source: string): boolean {
  const found = catalog.views[view];
  if (found?.lane === "stream") return found.source === source;
  return found?.lane === "batch" && found.sources.includes(source);
}
