import type { Client } from "bonevalue";
import { drawHeader } from "./header.ts";

/**
 * Draws the header, and signs in to the page's own server with the account of the parameter `as` (default: the first name).
 * Shows an error instead of rejecting.
 */
export async function signIn(client: Client, names: readonly [string, string] = ["Ann", "Oli"]): Promise<void> {
  const me = new URLSearchParams(location.search).get("as") === names[1] ? names[1] : names[0];
  const other = me === names[0] ? names[1] : names[0];
  const showProblem = drawHeader(client, { me, other });
  client.on("error", ({ message }) => showProblem(message));
  try {
    await client.connect(location.origin, me, await passwordOf(me));
  } catch (error) {
    showProblem(error instanceof Error ? error.message : String(error));
  }
}

/** Fetches the password from the server. Do this only in a demonstration. */
async function passwordOf(username: string): Promise<string> {
  const accounts: Readonly<Record<string, string>> = await (await fetch("/accounts.json")).json();
  return accounts[username] ?? "";
}
