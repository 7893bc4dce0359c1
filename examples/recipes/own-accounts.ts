// What the server of the app knows already. An app reads it from its database.
const tokens = new Map([
  ["token-1", "ann"],
  ["token-2", "bob"],
  ["token-3", "cyd"],
]);
const friends = new Map([
  ["ann", ["bob"]],
  ["bob", ["ann"]],
  ["cyd", ["ann"]],
]);

export function userOf(token: string): string | undefined {
  return tokens.get(token);
}

export function friendsOf(username: string): readonly string[] {
  return friends.get(username) ?? [];
}
