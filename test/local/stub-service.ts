import { createServer } from "node:http";

// A process that behaves like a service to its supervisor: says "ready" on standard error, drains on SIGTERM.
const say = (msg: string) => process.stderr.write(`${JSON.stringify({ level: 30, name: "stub", msg })}\n`);

if (process.env.STUB_FAILS === "at-start") {
  say("the stub cannot go on");
  process.exit(1);
}
const server = createServer((_, response) => response.end(String(process.pid)));
server.on("error", () => process.exit(1));
server.listen(Number(process.env.HTTP_PORT ?? 0), "127.0.0.1", () => say("ready"));
if (process.env.STUB_FAILS === "after-ready") server.on("listening", () => setImmediate(() => process.exit(1)));
process.on("SIGTERM", () => {
  if (process.env.STUB_FAILS === "to-stop") return;
  say("stopped");
  process.exit(0);
});
