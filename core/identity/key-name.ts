import type { Credentials, StoredCredentials } from "../discovery/discovery.ts";
import { socketUrl } from "../discovery/websocket/server-url.ts";

/**
 * Returns the name of a record in its store: the server's host and path, and the user. The user name that the app has passed
 * selects the key. `username` counts only where the app has passed none, since the server may have said it.
 */
export function keyName(
  host: string,
  credentials: Credentials | StoredCredentials,
  username: string,
): readonly [server: string, user: string] {
  const passed = "username" in credentials ? credentials.username : "as" in credentials ? credentials.as : undefined;
  const user = (passed ?? username).normalize();
  return [serverName(host), user.includes("@") ? user.toLowerCase() : user];
}

/** Every address of one server has one name, with and without the scheme and the default port. */
function serverName(host: string): string {
  let url = host;
  try {
    url = socketUrl(host);
  } catch {
    // Only WebSocket servers need an address of this kind.
  }
  return url.replace(/^\w+:\/\//, "").replace(/\/?([?#].*)?$/, "");
}
