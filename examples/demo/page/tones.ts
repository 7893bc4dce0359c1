import type { Alias } from "bonevalue";

/** Which of the stylesheet's tones shows whom: the demo's accounts first, the rest by their name. */
export type Tones = (name: Alias) => string;

const others = 4;

/** Tones for a client that is signed in as `self`. Its own other logins wear its own. */
export function createTones(accounts: readonly string[], self: string): Tones {
  return (name) => {
    const account = accounts.indexOf(name === "Us" ? self : name);
    return String(account >= 0 ? account : accounts.length + (hash(name) % others));
  };
}

function hash(text: string): number {
  return [...text].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 65_521, 7);
}
