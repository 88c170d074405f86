import type { Mesh } from "./mesh.ts";

/** One SIGKILL in mid-work, and how long the service was gone. Real time, epoch ms. */
export interface Kill {
  readonly name: string;
  readonly fromMs: number;
  readonly untilMs: number;
}

export const victims = ["stream-processor", "batch-runner", "direct-gateway", "online-store"] as const;

/** Kills the service and resolves when its successor, started by the supervisor, is ready. */
export async function killOnce(mesh: Mesh, name: string): Promise<Kill> {
  const fromMs = Date.now();
  await mesh.services.kill(name);
  return { name, fromMs, untilMs: Date.now() };
}
