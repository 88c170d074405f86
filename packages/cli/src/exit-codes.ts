import { type ErrorCode, errorTable } from "@tributary/shared/contracts/errors";

/** What a script can tell apart. */
export const exitCodes = {
  ok: 0,
  failure: 1,
  usage: 2,
  notFound: 3,
  validation: 4,
  unavailable: 5,
  partial: 6,
  interrupted: 130,
} as const;

export const exitCodeMeanings: Readonly<Record<keyof typeof exitCodes, string>> = {
  ok: "done",
  failure: "failure",
  usage: "usage",
  notFound: "not found",
  validation: "refused input",
  unavailable: "unavailable",
  partial: "partly done",
  interrupted: "interrupted",
};

export function exitCodeOf(code: ErrorCode): number {
  if (code === "BAD_CONFIG" || code === "USAGE") return exitCodes.usage;
  // Statuses that HTTP lumps together: a conflict that the caller's input causes, and one that somebody else does.
  if (code === "WRONG_LANE") return exitCodes.validation;
  switch (errorTable[code].http) {
    case 404:
      return exitCodes.notFound;
    case 400:
    case 413:
    case 422:
      return exitCodes.validation;
    case 429:
    case 503:
    case 504:
      return exitCodes.unavailable;
    default:
      return exitCodes.failure;
  }
}
