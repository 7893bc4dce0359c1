import { randomBytes } from "node:crypto";

/** A demo account. */
export interface Account {
  readonly username: string;
  readonly password: string;
}

/** Creates accounts with random passwords. They exist only for one run. */
export function createAccounts(...usernames: readonly string[]): readonly Account[] {
  return usernames.map((username) => ({ username, password: randomBytes(16).toString("base64url") }));
}
