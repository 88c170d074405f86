/** The least patch of each release line of nats-server with all known security fixes; a later line counts as fixed. */
const floors = ["2.11.16", "2.12.7", "2.14.0"] as const;

export const natsFloorText = floors.join(", ");

export type FloorResult = "fixed" | "below" | "unknown";

/** Pre-releases count as below the release they precede. */
export function compareWithFloor(version: string): FloorResult {
  const own = parse(version);
  if (own === undefined) return "unknown";
  const isPreRelease = /^v?\d+\.\d+\.\d+-/.test(version);
  const lines = floors.flatMap((floor) => parse(floor) ?? []);
  const line = lines.find((floor) => floor.major === own.major && floor.minor === own.minor);
  if (line) return own.patch > line.patch || (own.patch === line.patch && !isPreRelease) ? "fixed" : "below";
  const last = lines.at(-1);
  if (last === undefined) return "unknown";
  return own.major > last.major || (own.major === last.major && own.minor > last.minor) ? "fixed" : "below";
}

/** `20.19.4` ≥ `20.19`, compared by numbers. */
export function isAtLeast(version: string, least: { readonly major: number; readonly minor: number }): boolean {
  const own = parse(version);
  if (own === undefined) return false;
  return own.major > least.major || (own.major === least.major && own.minor >= least.minor);
}

function parse(version: string) {
  const match = /^v?(\d+)\.(\d+)\.(\d+)/.exec(version);
  return match ? { major: Number(match[1]), minor: Number(match[2]), patch: Number(match[3]) } : undefined;
}
