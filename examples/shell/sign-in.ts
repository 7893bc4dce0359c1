import type { Client } from "bonevalue";
import { drawHeader } from "./header.ts";

/**
 * Signs in to the server that sent the page, as the account that `?as=` names or else the first of `names`, and draws the
 * header. Shows what goes wrong; never rejects.
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

/** Only a demonstration has its passwords on its server. */
async function passwordOf(username: string): Promise<string> {
  const accounts: Readonly<Record<string, string>> = await (await fetch("/accounts.json")).json();
  return accounts[username] ?? "";
}
