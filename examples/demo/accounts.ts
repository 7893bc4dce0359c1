import { randomBytes } from "node:crypto";

/** Somebody who can sign in. */
export interface Account {
  readonly username: string;
  readonly password: string;
}

/** The accounts of one run: their passwords are new each time, and end with it. */
export function inventAccounts(...usernames: readonly string[]): readonly Account[] {
  return usernames.map((username) => ({ username, password: randomBytes(16).toString("base64url") }));
}
