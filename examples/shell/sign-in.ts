import type { Client, Credentials, Self } from "bonevalue";
import { drawHeader } from "./header.ts";
import { drawSource } from "./source.ts";

const pair = ["Ann", "Oli"] as const;

/**
 * Draws the header, and signs in to the page's own server with the account of the parameter `as` (default: the first name).
 * Shows an error instead of rejecting.
 */
export async function signIn(client: Client, names: readonly [string, string] = pair): Promise<void> {
  await begin(client, names, async (username) => ({ username, password: await passwordOf(username) }));
}

/**
 * Draws the header, and joins the room in the URL's fragment under the name of the parameter `as`. A page without a
 * fragment gets a room of its own. Shows an error instead of rejecting.
 */
export async function joinRoom(client: Client): Promise<void> {
  if (!location.hash) history.replaceState(null, "", `#${crypto.randomUUID()}`);
  await begin(client, pair, async (name) => ({ room: location.pathname + location.hash, name }));
}

/** The name of this page's user: the parameter `as`, or the first name. */
export function ownName([first, second]: readonly [string, string] = pair): string {
  return new URLSearchParams(location.search).get("as") === second ? second : first;
}

async function begin(
  client: Client,
  names: readonly [string, string],
  credentialsOf: (me: string) => Promise<Credentials>,
): Promise<void> {
  const me = ownName(names);
  const other = me === names[0] ? names[1] : names[0];
  const showProblem = drawHeader(client, { me, other });
  client.on("error", ({ message }) => showProblem(message));
  try {
    const credentials = await credentialsOf(me);
    // The tab may have stored the session of another name or room.
    if (!(await client.resume()) || !isOf(credentials, me, client.self.value))
      await client.connect(location.origin, credentials);
    await drawSource();
  } catch (error) {
    showProblem(error instanceof Error ? error.message : String(error));
  }
}

function isOf(credentials: Credentials, name: string, self: Self | undefined): boolean {
  return self?.username === name && self.room === ("room" in credentials ? credentials.room : undefined);
}

/** Fetches the password from the server. Do this only in a demonstration. */
async function passwordOf(username: string): Promise<string> {
  const accounts: Readonly<Record<string, string>> = await (await fetch("/accounts.json")).json();
  return accounts[username] ?? "";
}
