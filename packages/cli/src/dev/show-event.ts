import { showPlan } from "../catalog/show-plan.ts";
import type { Colors } from "../colors.ts";
import type { AppliedEvent, DevEvent, ReadyEvent, RefusedEvent, ServersEvent } from "./dev-event.ts";

/** An event for a person; one line or a few, the first word says what it is about. */
export function showEvent(event: DevEvent, colors: Colors): string {
  switch (event.event) {
    case "servers":
      return line("servers", showServers(event));
    case "applied":
      return showApplied(event, colors);
    case "refused":
      return showRefused(event, colors);
    case "ready":
      return showReady(event, colors);
    case "changed":
      return `\n${line("changed", event.files.join(", "))}`;
    case "stopping":
      return `\n${line("stopping", "services first, then servers")}`;
    case "stopped":
      return line("stopped", "nothing is left running");
    default:
      return event satisfies never;
  }
}

/** Never without `--no-install`: on npm the name `tributary` is somebody else's. */
const command = "npx --no-install tributary";

function line(word: string, text: string): string {
  return `${word.padEnd(10)}${text}`;
}

function showServers({ nats, redis, postgres, directory }: ServersEvent): string {
  return `nats-server ${nats}, redis ${redis}, postgres ${postgres}; what they hold is in ${directory}`;
}

function showApplied({ version, changed, views, featureServices, plan }: AppliedEvent, colors: Colors): string {
  const counts = `${plural(views, "view")}, ${plural(featureServices, "feature service")}`;
  if (!changed) return line("catalog", `version ${version} says the same already: ${counts}`);
  return `\n${showPlan(plan, colors)}\n\n${line("catalog", `${colors.green("applied")} as version ${version}: ${counts}`)}`;
}

function showRefused({ message, code, hint, plan, consent }: RefusedEvent, colors: Colors): string {
  const shown = plan === undefined ? "" : `\n${showPlan(plan, colors)}\n\n`;
  const title = line("catalog", `${colors.red("not applied")}, the earlier one stays (${code})`);
  const advice = consent === undefined ? colors.dim(hint) : `if you mean it: ${command} ${consent}`;
  const told = [...message.split("\n"), advice].map((text) => line("", text));
  return `${shown}${[title, ...told].join("\n")}`;
}

function showReady({ storeUrl, gatewayUrl, examples }: ReadyEvent, colors: Colors): string {
  const calls = examples.map((example) => `  ${command} ${example}`);
  return [
    line("ready", `reads ${storeUrl}, writes ${gatewayUrl}; save a file and it is applied`),
    ...(calls.length === 0 ? [] : ["", colors.dim("in another terminal, in this folder:"), ...calls]),
  ].join("\n");
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
