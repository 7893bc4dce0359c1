import type { Credentials, StoredCredentials } from "../discovery/discovery.ts";

/**
 * Returns the name of a record in its store: the server's host and path, and the user. The user name that the app has passed
 * selects the key. `username` counts only where the app has passed none, since the server may have said it.
 */
export function keyName(
  url: string,
  credentials: Credentials | StoredCredentials,
  username: string,
): readonly [server: string, user: string] {
  const passed = "username" in credentials ? credentials.username : "as" in credentials ? credentials.as : undefined;
  const user = (passed ?? username).normalize();
  const server = url.replace(/^\w+:\/\//, "").replace(/\/?([?#].*)?$/, "");
  return [server, user.includes("@") ? user.toLowerCase() : user];
}
