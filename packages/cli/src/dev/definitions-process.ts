import { toWireError } from "@tributary/shared/contracts/errors";
import { loadDefinitions } from "../catalog/load-definitions.ts";

// Runs a definitions module for load-apart.ts and hands over what it compiles to.
const [file = ""] = process.argv.slice(2);
process.once("disconnect", () => process.exit());

const answer = await loadDefinitions(file).then(
  (body) => ({ body }),
  (error: unknown) => ({ error: toWireError(error) }),
);
process.send?.(answer, undefined, undefined, () => process.exit());
