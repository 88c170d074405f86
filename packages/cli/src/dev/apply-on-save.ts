import type { Servers } from "@tributary/local/servers";
import type { CatalogBody } from "@tributary/shared/contracts/catalog";
import { asTributaryError, type TributaryError, toWireError } from "@tributary/shared/contracts/errors";
import { applyCatalog } from "../catalog/apply.ts";
import { author } from "../catalog/author.ts";
import { type Plan, problemsOf } from "../catalog/plan.ts";
import type { AppliedEvent, RefusedEvent } from "./dev-event.ts";
import { loadApart } from "./load-apart.ts";

export interface ApplyContext {
  /** The definitions module, relative to the working directory. */
  readonly file: string;
  readonly workingDirectory: string;
  readonly servers: Servers;
  readonly allowDestroy: boolean;
  /** What the definitions module prints. */
  readonly onText: (text: string) => void;
}

export interface ApplyOutcome {
  readonly event: AppliedEvent | RefusedEvent;
  /** What was applied; undefined when nothing was. */
  readonly body?: CatalogBody;
}

/** Loads and applies the definitions as they are now. Whatever is wrong with them or with the plan is an outcome. */
export async function applyAsSaved(context: ApplyContext): Promise<ApplyOutcome> {
  const { servers, allowDestroy } = context;
  let seen: Plan | undefined;
  try {
    const body = await loadApart({ ...context, directory: servers.directory });
    const { version, changed, plan } = await applyCatalog({
      body,
      natsUrl: servers.nats.url("admin"),
      databaseUrl: servers.postgres.url,
      author: author(),
      message: "tributary dev",
      allowDestroy,
      onPlan: (plan) => {
        seen = plan;
      },
    });
    const [views, featureServices] = [Object.keys(body.views).length, Object.keys(body.featureServices).length];
    return { event: { event: "applied", version, changed, views, featureServices, plan }, body };
  } catch (error) {
    return { event: refusal(asTributaryError(error), seen, context.file) };
  }
}

function refusal(error: TributaryError, plan: Plan | undefined, file: string): RefusedEvent {
  const told = { event: "refused" as const, ...toWireError(error) };
  if (plan === undefined) return told;
  const awaitsConsent = error.code === "INVALID_DEFINITION" && problemsOf(plan, { allowDestroy: true }).length === 0;
  return { ...told, plan, ...(awaitsConsent && { consent: `apply ${file} --allow-destroy` }) };
}
