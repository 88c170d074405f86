import { join } from "node:path";
import { runNode } from "./run-node.mjs";

/** Compiles what has changed of the packages and services; false, and said why, when it does not compile. */
export async function compile(root) {
  return (await runNode([join(root, "node_modules/typescript/bin/tsc"), "-b"], root)) === 0;
}
