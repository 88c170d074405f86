import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

export interface RaceOrder {
  /** The view to add. */
  readonly view: string;
  /** Between plan and swap it says "planned" and waits for "go". */
  readonly holdAfterPlan: boolean;
  readonly natsUrl: string;
  readonly databaseUrl?: string | undefined;
}

export type RaceResult = { readonly view: string } & (
  | { readonly version: number; readonly code?: undefined }
  | { readonly version?: undefined; readonly code: string; readonly message: string }
);

/** A process of its own, kept for many rounds: starting one takes longer than an apply. */
export interface Racer {
  /** Resolves with the result; calls `onPlanned` when it stands between plan and swap. */
  run(order: RaceOrder, onPlanned?: () => void): Promise<RaceResult>;
  go(): void;
  stop(): Promise<void>;
}

export async function startRacer(): Promise<Racer> {
  const child = fork(fileURLToPath(new URL("racer.child.ts", import.meta.url)), {
    execArgv: ["--conditions=tributary-source", "--import", import.meta.resolve("tsx")],
  });
  await heard(child, (message) => message === "ready");
  return {
    run: async (order, onPlanned = () => {}) => {
      child.send(order);
      return heard(child, (message) => {
        if (message === "planned") onPlanned();
        return typeof message === "object";
      }) as Promise<RaceResult>;
    },
    go: () => void child.send("go"),
    stop: async () => {
      child.disconnect();
      await once(child, "exit");
    },
  };
}

function heard(child: ChildProcess, isWanted: (message: unknown) => boolean): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const onMessage = (message: unknown) => {
      if (!isWanted(message)) return;
      child.off("message", onMessage).off("exit", onExit);
      resolve(message);
    };
    const onExit = (code: number | null) => reject(new Error(`the racer ended with ${code}`));
    child.on("message", onMessage).on("exit", onExit);
  });
}
