import { basename } from "node:path";
import { TributaryError } from "@tributary/shared/contracts/errors";

/** https://docs.npmjs.com/cli/configuring-npm/package-json#name */
const packageName = /^(@[a-z0-9~-][a-z0-9._~-]*\/)?[a-z0-9~-][a-z0-9._~-]*$/;
const lengthMax = 214;

/** @throws TributaryError BAD_CONFIG when npm would refuse it */
export function checkedName(name: string): string {
  if (packageName.test(name) && name.length <= lengthMax) return name;
  throw new TributaryError(
    "BAD_CONFIG",
    `--name "${name}" is no name of a package: lower-case letters, digits and - . _ within it`,
  );
}

/** The folder's name as far as npm takes it. */
export function nameOfFolder(folder: string): string {
  const name = basename(folder)
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-|-$/g, "");
  return name === "" ? "feature-repository" : name;
}
