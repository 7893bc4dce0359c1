import type { Alias } from "bonevalue";

/** Returns the index of a user's color in the stylesheet. */
export type ColorOf = (name: Alias) => string;

const otherColors = 4;

/** Assigns colors for a client that is signed in as `self`: to the demo's accounts by index, to other users by a hash of their name. */
export function createColors(accounts: readonly string[], self: string): ColorOf {
  return (name) => {
    const account = accounts.indexOf(name === "Us" ? self : name);
    return String(account >= 0 ? account : accounts.length + (hash(name) % otherColors));
  };
}

function hash(text: string): number {
  return [...text].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 65_521, 7);
}
