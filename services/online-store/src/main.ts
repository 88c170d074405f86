import { growHeapFreely } from "@tributary/shared/runtime/heap-growth";
import { runService } from "@tributary/shared/runtime/run-service";
import { options } from "./config.ts";
import { startStore } from "./service.ts";

growHeapFreely();
await runService({
  name: "online-store",
  description: "merges the rows of the three lanes into Redis and answers reads",
  options,
  start: startStore,
});
