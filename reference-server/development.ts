import { defaultLog } from "./log.ts";
import { anyLoopback, ownAddress } from "./origin.ts";
import { type BonevalueServer, createServer, type ServerOptions } from "./server.ts";

/** The accounts of a server for development. Fixed, so that a page still signs in after a restart. */
export const developmentAccounts = [
  { username: "ann", password: "password of ann", alias: "Ann" },
  { username: "bob", password: "password of bob", alias: "Bob" },
] as const;

/**
 * Starts a server for development: with its data in memory, rooms, relays, and two accounts that trust each other. Only pages
 * of this machine, and pages at its IP addresses, may connect. Links of invitations are printed. `options` replaces these
 * defaults; with a store or accounts of the app, no accounts are added.
 */
export async function createDevelopmentServer(options: ServerOptions): Promise<BonevalueServer> {
  const server = await createServer({
    rooms: true,
    relay: true,
    origins: [anyLoopback, ownAddress],
    log: defaultLog("warn"),
    // At that level the log would not show the link.
    mail: async (to, { link }) => console.log(`Invitation of ${to}: ${link}`),
    ...options,
    // Also for an explicit `undefined`: the accounts below must not get into a file.
    store: options.store ?? ":memory:",
  });
  if (options.store === undefined && options.authenticate === undefined) await addAccounts(server);
  return server;
}

async function addAccounts({ accounts }: BonevalueServer): Promise<void> {
  const [ann, bob] = developmentAccounts;
  for (const { username, password } of developmentAccounts) await accounts.add(username, password);
  await accounts.trust(ann.username, bob.alias, bob.username, ann.alias);
}
