import { runService } from "@tributary/shared/runtime/run-service";
import { options } from "./config.ts";
import { startGateway } from "./service.ts";

await runService({
  name: "direct-gateway",
  description: "direct lane: validated feature writes over HTTP and NATS",
  options,
  start: startGateway,
});
