import { Readable, Writable } from "node:stream";
import { runCli } from "@tributary/cli/run-cli";
import type { HostReply, HostRequest } from "./cli-host.ts";

/** Many command lines in one process, one after the other: starting Node for each would be most of the time. */
let interrupt: (exitCode: number) => void = () => undefined;

process.on("message", (request: HostRequest) => {
  if (request.kind === "interrupt") interrupt(130);
  else void answer(request);
});

async function answer({ argv, input, environment }: HostRequest & { readonly kind: "run" }): Promise<void> {
  const exitCode = await runCli(argv, {
    stdin: Readable.from(input === "" ? [] : [input]),
    stdout: writing("stdout"),
    stderr: writing("stderr"),
    environment,
    directory: process.cwd(),
    onInterrupt: (listener) => {
      interrupt = listener;
    },
    exit: (code) => send({ kind: "ended", exitCode: code }),
  });
  send({ kind: "ended", exitCode });
}

function writing(name: "stdout" | "stderr"): Writable {
  return new Writable({
    write: (bytes: Buffer, _encoding, done) => {
      send({ kind: name, text: bytes.toString() });
      done();
    },
  });
}

function send(reply: HostReply): void {
  process.send?.(reply);
}
