import { endLeftovers } from "./leftovers.ts";
import { lastOwnerOf } from "./process-table.ts";

// Run by the watchdog of directory-claim.ts when the owner it watched has died without ending its processes.
const [directory = "", pid, started] = process.argv.slice(2);
const owner = lastOwnerOf(directory);
if (String(owner?.pid) === pid && owner?.started === started) await endLeftovers(directory);
