import { limits } from "../contracts/limits.ts";
import { declaredDuration } from "./duration-text.ts";

interface Window {
  readonly name: string;
  readonly ms: number;
}

/** What is wrong with a view's windows and its hop, and what to use instead. */
export function checkWindows(
  { windows, hopMs }: { readonly windows: readonly Window[]; readonly hopMs: number },
  problem: (why: string) => void,
): void {
  if (windows.length === 0) problem('has no windows; name at least one: windows: ["1h"]');
  if (windows.length > limits.windowsPerViewMax)
    problem(`has ${windows.length} windows; at most ${limits.windowsPerViewMax} are allowed: split it`);
  windows.forEach((window, i) => {
    const isSame = ({ name, ms }: Window) => name === window.name || (ms === window.ms && ms > 1);
    const other = windows.slice(0, i).find(isSame);
    if (other !== undefined) problem(`windows "${other.name}" and "${window.name}" are the same; remove one`);
    if (window.ms % hopMs !== 0) problem(`window ${window.name} is not ${multiple(window, hopMs)}`);
  });
}

function multiple({ ms }: Window, hopMs: number): string {
  const below = Math.floor(ms / hopMs) * hopMs;
  const near = [below, below + hopMs].filter((one) => one > 0).map(declaredDuration);
  return `a multiple of its hop ${declaredDuration(hopMs)}; use ${near.join(" or ")}, or a hop that divides it`;
}
