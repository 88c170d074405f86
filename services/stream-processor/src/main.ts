import { runService } from "@tributary/shared/runtime/run-service";
import { options } from "./config.ts";
import { startStreamProcessor } from "./service.ts";

await runService({
  name: "stream-processor",
  description: "stream lane: event-time windows per entity, published on change",
  options,
  start: startStreamProcessor,
});
