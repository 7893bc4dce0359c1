import type { Discovery } from "bonevalue";
import type { MemoryDiscovery } from "bonevalue/testing";
import { friendsOf, userOf } from "../../../examples/recipes/own-accounts.ts";

/** Lets a discovery server in memory ask the app for users and friends, as `createServer` does with its two functions. */
export function withOwnAccounts(memory: MemoryDiscovery): Discovery {
  const added = new Set<string>();

  function addUser(username: string): void {
    if (added.has(username)) return;
    memory.addUser(username, "");
    for (const friend of friendsOf(username))
      if (added.has(friend) && friendsOf(friend).includes(username)) memory.trust(username, friend, friend, username);
    added.add(username);
  }

  return {
    local: true,
    open(host, credentials, ...rest) {
      const username = "token" in credentials && typeof credentials.token === "string" && userOf(credentials.token);
      if (username) addUser(username);
      // The server refuses a user without a name.
      return memory.open(host, { username: username || "", password: "" }, ...rest);
    },
  };
}
