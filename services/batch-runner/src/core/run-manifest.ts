import { featureSchema } from "@tributary/shared/contracts/feature";
import { z } from "zod";

/**
 * What a staged run is, in its own words: publishing it needs nothing of today's catalog (B1).
 *
 * Format history
 *   1  first form
 */
const fileSchema = z.object({ path: z.string(), rows: z.number().int(), bytes: z.number().int(), sha256: z.string() });
export type LakeFile = z.infer<typeof fileSchema>;

export const runManifestSchema = z.object({
  format: z.literal(1),
  view: z.string(),
  viewVersion: z.number().int(),
  catalogVersion: z.number().int(),
  run: z.number().int(),
  intervalEndMs: z.number().int(),
  partitions: z.number().int(),
  features: z.array(featureSchema),
  /** Every cell with its version. */
  snapshot: fileSchema,
  /** The rows that differ, in order of partition and key. */
  delta: fileSchema,
  /** Partitions to confirm once the delta is acknowledged (C3). */
  confirm: z.array(z.number().int()),
  /** Partitions confirmed up to the interval's end when this run is committed. */
  confirmed: z.array(z.number().int()),
});
export type RunManifest = z.infer<typeof runManifestSchema>;

/** Beside the rows of a backfill. */
export const backfillManifestSchema = z.object({
  format: z.literal(1),
  view: z.string(),
  viewVersion: z.number().int(),
  run: z.number().int(),
  intervalEndMs: z.number().int(),
  rows: fileSchema,
});
export type BackfillManifest = z.infer<typeof backfillManifestSchema>;

/** Features whose column in the published snapshot can be compared with. */
export function comparableFeatures(
  published: Pick<RunManifest, "viewVersion" | "features"> | undefined,
  view: Pick<RunManifest, "viewVersion" | "features">,
): ReadonlySet<string> {
  // A store may begin a new version of a view with nothing, so every cell is published again.
  if (published?.viewVersion !== view.viewVersion) return new Set();
  const shapes = new Map(published.features.map((feature) => [feature.name, shapeOf(feature)]));
  return new Set(view.features.filter((f) => shapes.get(f.name) === shapeOf(f)).map((f) => f.name));
}

function shapeOf(feature: RunManifest["features"][number]): string {
  return [feature.type, feature.of, feature.dimension].join(" ");
}
