import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { nodeArguments } from "@tributary/local/node-command";
import type { ReadJob, ReadResult, Target } from "./read-target.ts";

/** A driver in a process of its own. */
export interface Driver {
  run(job: ReadJob): Promise<ReadResult>;
  stop(): Promise<void>;
}

const entry = fileURLToPath(new URL("./read-driver.ts", import.meta.url));

export function startDriver(target: Target): Driver {
  const args = [...nodeArguments(entry), JSON.stringify(target)];
  const child = spawn(process.execPath, args, { stdio: ["ignore", 2, 2, "ipc"] });
  return {
    run: (job) => answerOf(child, job),
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, "exit");
      child.kill();
      await ended;
    },
  };
}

async function answerOf(child: ChildProcess, job: ReadJob): Promise<ReadResult> {
  const answers = new AbortController();
  const { signal } = answers;
  const died = once(child, "exit", { signal }).then(() => {
    throw new Error("the driver ended before its job was done");
  });
  died.catch(() => undefined); // aborted once there is an answer
  try {
    child.send(job);
    const [result] = await Promise.race([once(child, "message", { signal }), died]);
    return result as ReadResult;
  } finally {
    answers.abort();
  }
}
