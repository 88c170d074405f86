import { TributaryError } from "@tributary/shared/contracts/errors";

/** `3` or `v3`, as a person writes a catalog version. @throws TributaryError BAD_CONFIG */
export function versionNumber(text: string): number {
  const number = Number(/^v?(\d{1,15})$/.exec(text)?.[1]);
  if (number > 0) return number;
  throw new TributaryError(
    "BAD_CONFIG",
    `"${text}" is not a catalog version such as 3; see \`tributary catalog list\``,
  );
}
