import { runService } from "@tributary/shared/runtime/run-service";
import { options } from "./config.ts";
import { startBatchRunner } from "./service.ts";

await runService({
  name: "batch-runner",
  description: "batch lane: SQL over files, published as what differs from the last published values",
  options,
  start: startBatchRunner,
});
