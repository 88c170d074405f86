import { asTributaryError, errorTable } from "@tributary/shared/contracts/errors";

export type CheckState = "ok" | "warn" | "fail";

/** One line of the doctor's report. */
export interface Check {
  readonly name: string;
  readonly state: CheckState;
  /** What was found. */
  readonly what: string;
  /** What to do about it. */
  readonly hint?: string;
}

export const ok = (name: string, what: string): Check => ({ name, state: "ok", what });
export const warn = (name: string, what: string, hint: string): Check => ({ name, state: "warn", what, hint });
export const fail = (name: string, what: string, hint: string): Check => ({ name, state: "fail", what, hint });

/** What cannot be checked has failed, with the error's own hint. */
export async function checked(name: string, check: () => Promise<Check | readonly Check[]>): Promise<readonly Check[]> {
  try {
    return [await check()].flat();
  } catch (thrown) {
    const error = asTributaryError(thrown);
    return [fail(name, error.message, errorTable[error.code].fix)];
  }
}
