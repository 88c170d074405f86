import { endLeftovers } from "./leftovers.ts";

// Run by the watchdog of directory-claim.ts when the owner has died.
const [directory] = process.argv.slice(2);
if (directory !== undefined) await endLeftovers(directory);
