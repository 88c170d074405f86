import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Passwords of the private servers, random, kept beside their data in a file only the owner reads. */
export type Credentials = (name: string) => string;

export function openCredentials(directory: string): Credentials {
  mkdirSync(directory, { recursive: true });
  const file = join(directory, "credentials.json");
  const write = (passwords: object) =>
    writeFileSync(file, `${JSON.stringify(passwords, undefined, 2)}\n`, { mode: 0o600 });
  if (!existsSync(file)) write({}); // it also tells that the directory is one of ours
  const known: Record<string, string> = JSON.parse(readFileSync(file, "utf8"));
  return (name) => {
    const password = known[name] ?? randomBytes(18).toString("base64url");
    if (known[name] === undefined) {
      known[name] = password;
      write(known);
    }
    return password;
  };
}
