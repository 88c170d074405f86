import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { CliResult } from "./run-cli.ts";

type Environment = Readonly<Record<string, string>>;

export type HostRequest =
  | {
      readonly kind: "run";
      readonly argv: readonly string[];
      readonly input: string;
      readonly environment: Environment;
    }
  | { readonly kind: "interrupt" };

export type HostReply =
  | { readonly kind: "stdout" | "stderr"; readonly text: string }
  | { readonly kind: "ended"; readonly exitCode: number };

export interface HostedCall {
  readonly argv: readonly string[];
  /** Standard input. */
  readonly input?: string;
  readonly environment?: Environment;
  /** Called at the first thing it says. */
  readonly onOutput?: () => void;
}

/** A process that runs command lines in one folder. */
export interface CliHost {
  run(call: HostedCall): Promise<CliResult>;
  interrupt(): void;
  stop(): void;
}

const child = fileURLToPath(new URL("cli-host.child.ts", import.meta.url));

export function startCliHost(directory: string): CliHost {
  const { PATH = "", HOME = "" } = process.env;
  const host = fork(child, {
    cwd: directory,
    env: { PATH, HOME },
    execArgv: ["--conditions=tributary-source", "--import", import.meta.resolve("tsx")],
  });
  const send = (request: HostRequest) => void host.send(request);
  const run = ({ argv, input = "", environment = {}, onOutput }: HostedCall) =>
    new Promise<CliResult>((resolve, fail) => {
      const output = { stdout: "", stderr: "" };
      const onExit = () => fail(new Error(`the host ended: ${output.stderr}`));
      const onReply = (reply: HostReply) => {
        if (reply.kind === "ended") {
          host.off("message", onReply).off("exit", onExit);
          resolve({ code: reply.exitCode, ...output, json: () => JSON.parse(output.stdout) });
          return;
        }
        if (output.stdout === "" && output.stderr === "") onOutput?.();
        output[reply.kind] += reply.text;
      };
      host.on("message", onReply).once("exit", onExit);
      send({ kind: "run", argv, input, environment });
    });
  return { run, interrupt: () => send({ kind: "interrupt" }), stop: () => void host.kill("SIGKILL") };
}
