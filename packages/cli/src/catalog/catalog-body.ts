import { type CatalogBody, catalogBodySchema } from "@tributary/shared/contracts/catalog";
import { TributaryError } from "@tributary/shared/contracts/errors";
import { fingerprintOf } from "@tributary/shared/definitions/canonical-json";

/**
 * A recorded version's body, checked.
 * @throws TributaryError UNSUPPORTED_FORMAT, CORRUPT when it is not what its fingerprint says
 */
export function checkBody(
  recorded: unknown,
  { version, fingerprint }: { version: number; fingerprint: string },
): CatalogBody {
  const parsed = catalogBodySchema.strip().safeParse(recorded);
  if (!parsed.success) {
    throw new TributaryError("UNSUPPORTED_FORMAT", `catalog version ${version} is not of a form this build reads`);
  }
  if (fingerprintOf(parsed.data) === fingerprint) return parsed.data;
  throw new TributaryError(
    "CORRUPT",
    `catalog version ${version} does not say what was applied: its fingerprint differs`,
  );
}
