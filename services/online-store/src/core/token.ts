import { compareVersions } from "@tributary/shared/contracts/version";
import type { WriteToken } from "@tributary/shared/contracts/write";
import type { Cell } from "@tributary/shared/merge/cell";
import type { StreamPosition } from "./stream-position.ts";

/**
 * Whether a write is readable (D3): each cell it named holds its version or a greater one. Where the producer gave no event
 * time the token does not know the broker's, so stamps alone are compared; a cell that an earlier write with a later
 * event time keeps would then never satisfy it, hence the floor: once everything up to the token is applied, it has been judged.
 */
export function isReadable(token: WriteToken, cells: readonly Cell[], floor: StreamPosition | undefined): boolean {
  if (floor !== undefined && floor.incarnation === token.incarnation && floor.sequence >= token.sequence) return true;
  return token.features.every((feature) => {
    const cell = cells.find((candidate) => candidate.feature === feature);
    return cell !== undefined && isAtLeast(cell, token);
  });
}

function isAtLeast({ version }: Cell, token: WriteToken): boolean {
  const eventTime = token.eventTime ?? version.eventTime;
  const written = { eventTime, incarnation: token.incarnation, sequence: token.sequence, minor: token.row };
  return compareVersions(version, written) >= 0;
}
