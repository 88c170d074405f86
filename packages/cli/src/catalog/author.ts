import { userInfo } from "node:os";

/** Who applies: the system's user, or "unknown" where it has no name, as in some containers. */
export function author(): string {
  try {
    return userInfo().username;
  } catch {
    return "unknown";
  }
}
