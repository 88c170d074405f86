import { setTimeout as sleep } from "node:timers/promises";
import type { BatchStatus } from "@tributary/shared/contracts/status";
import { subjects } from "@tributary/shared/contracts/subjects";
import type { WriteReply } from "@tributary/shared/contracts/write";
import { congestion } from "./definitions.ts";
import type { Mesh } from "./mesh.ts";
import { askJson } from "./positions.ts";

/** One SIGKILL in mid-work, and how long the service was gone. Real time, epoch ms. */
export interface Kill {
  readonly name: string;
  readonly fromMs: number;
  readonly untilMs: number;
}

export const victims = ["stream-processor", "batch-runner", "direct-gateway", "online-store"] as const;
type Victim = (typeof victims)[number];

const waitMsMax = 20_000;

/**
 * Kills the service when it is at work and resolves when its successor, started by the supervisor, is ready: the batch runner
 * in the middle of a run, the gateway with a write in flight; route, windows and merge always are while the clock runs.
 */
export async function killOnce(mesh: Mesh, name: Victim): Promise<Kill> {
  if (name === "batch-runner") await runUnderWay(mesh);
  const write = name === "direct-gateway" ? startWrite(mesh) : undefined;
  const fromMs = Date.now();
  await mesh.services.kill(name);
  const untilMs = Date.now();
  await write?.();
  return { name, fromMs, untilMs };
}

async function runUnderWay(mesh: Mesh): Promise<void> {
  for (const deadline = Date.now() + waitMsMax; Date.now() < deadline; await sleep(5)) {
    const { runs } = await askJson<BatchStatus>(mesh.connection, subjects.batchStatus);
    if (runs.some((run) => run.run > 0 && (run.phase === "computing" || run.phase === "publishing"))) return;
  }
  throw new Error("no batch run was under way to be killed");
}

/** A write that loses its gateway. Sent again with the same idempotency key it has to be accepted, once. */
function startWrite(mesh: Mesh): () => Promise<void> {
  const rows = [{ key: { code: "ANC" }, features: { score: 0.5, reason: "killed" } }];
  const idempotencyKey = `kill-${Date.now()}`;
  const attempt = (): Promise<WriteReply> => mesh.client.write(congestion, rows, { idempotencyKey, timeoutMs: 2_000 });
  const first = attempt().catch(() => undefined);
  return async () => {
    await first;
    const reply = await attempt();
    if (reply.accepted !== 1)
      throw new Error(`a write was refused after its gateway was killed: ${JSON.stringify(reply.outcomes)}`);
  };
}
