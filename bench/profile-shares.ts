import { z } from "zod";

/** The parts of Chrome's `.cpuprofile` that tell where the time went. */
const profileSchema = z.object({
  nodes: z.array(
    z.object({
      id: z.number(),
      callFrame: z.object({ functionName: z.string(), url: z.string() }),
      children: z.array(z.number()).optional(),
    }),
  ),
  samples: z.array(z.number()),
  timeDeltas: z.array(z.number()),
});

/** Starting and stopping the profile is nothing that the service does. */
const profilersOwn = "bench/profile-preload.mjs";
const shownMax = 25;
const minShare = 0.5;

/**
 * Self time as a share of the time that the process was not idle, first by module, then by function. What Node and the engine do
 * counts for the module that had it done.
 * @throws ZodError when it is no profile
 */
export function profileShares(value: unknown): string {
  const { nodes, samples, timeDeltas } = profileSchema.parse(value);
  const places = placesOf(nodes);
  const [byModule, byFunction] = [new Map<string, number>(), new Map<string, number>()];
  let [busy, idle] = [0, 0];
  for (const [i, id] of samples.entries()) {
    const [place, took] = [places.get(id), Math.max(0, timeDeltas[i] ?? 0)];
    if (place === undefined || place.module.endsWith(profilersOwn)) continue;
    if (place.name === "(idle)") idle += took;
    else {
      busy += took;
      add(byModule, place.module, took);
      add(byFunction, `${place.name}  ${place.module}`, took);
    }
  }
  const idleShare = ((100 * idle) / (busy + idle)).toFixed(1);
  return [`idle ${idleShare} %`, ...sharesOf(byModule, busy), "", ...sharesOf(byFunction, busy)].join("\n");
}

interface Place {
  readonly name: string;
  readonly module: string;
}

type Node = z.infer<typeof profileSchema>["nodes"][number];

/** Parents stand before their children. */
function placesOf(nodes: readonly Node[]): ReadonlyMap<number, Place> {
  const callers = new Map<number, string>();
  return new Map(
    nodes.map(({ id, callFrame, children = [] }) => {
      const module = moduleOf(callFrame, callers.get(id));
      for (const child of children) callers.set(child, module);
      return [id, { name: callFrame.functionName || "(anonymous)", module }];
    }),
  );
}

function add(sums: Map<string, number>, name: string, value: number): void {
  sums.set(name, (sums.get(name) ?? 0) + value);
}

/** `core/record-read.ts`, `node_modules/ioredis`, or what the engine calls its own work. */
function moduleOf({ functionName, url }: Node["callFrame"], caller: string | undefined): string {
  if (functionName.startsWith("(") && url === "") return functionName;
  if (url === "" || url.startsWith("node:")) return caller === undefined || caller === "(root)" ? "node" : caller;
  const library = /\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1];
  return library === undefined ? (/\/(?:src|dist)\/(.*)$/.exec(url)?.[1] ?? url) : `node_modules/${library}`;
}

function sharesOf(sums: ReadonlyMap<string, number>, whole: number): string[] {
  return [...sums]
    .map(([name, sum]) => ({ name, share: (100 * sum) / whole }))
    .filter(({ share }) => share >= minShare)
    .sort((a, b) => b.share - a.share)
    .slice(0, shownMax)
    .map(({ name, share }) => `${share.toFixed(1).padStart(5)} %  ${name}`);
}
