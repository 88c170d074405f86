import { cpSync, rmSync } from "node:fs";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { temporaryDirectory } from "../support/temporary-directory.ts";
import type { StoreRig } from "./store-rig.ts";

/** What Redis has on disk now, to be put back later, while it is down. */
export function copyOfRedis(rig: StoreRig): { putBack(): void } {
  const files = join(rig.directory, "redis", "appendonlydir");
  const aside = temporaryDirectory("aside");
  onTestFinished(() => aside.remove());
  cpSync(files, join(aside.path, "copy"), { recursive: true });
  return {
    putBack: () => {
      rmSync(files, { recursive: true });
      cpSync(join(aside.path, "copy"), files, { recursive: true });
    },
  };
}
