import picocolors from "picocolors";
import type { Terminal, World } from "./world.ts";

export type Colors = ReturnType<typeof picocolors.createColors>;

interface ColorChoice {
  /** False: `--no-color`. */
  readonly wanted: boolean;
  readonly environment: World["environment"];
  readonly stream: Terminal;
}

/** `--no-color` first, then NO_COLOR, then FORCE_COLOR (https://no-color.org, https://force-color.org), then the terminal. */
export function hasColors({ wanted, environment, stream }: ColorChoice): boolean {
  const { NO_COLOR = "", FORCE_COLOR = "", TERM } = environment;
  if (!wanted || NO_COLOR !== "") return false;
  if (FORCE_COLOR !== "") return FORCE_COLOR !== "0" && FORCE_COLOR !== "false";
  return stream.isTTY === true && TERM !== "dumb";
}

export function colorsOf(choice: ColorChoice): Colors {
  return picocolors.createColors(hasColors(choice));
}
