import { randomUUID } from "node:crypto";
import { type Accounts, createAccounts, type InvitationFrom } from "../accounts.ts";
import { createAttemptLimiter } from "../attempt-limiter.ts";
import { type Banned, createBans } from "../bans.ts";
import { systemClock } from "../clock.ts";
import { createLocalCluster } from "../cluster/local.ts";
import { invitationLink, publicUrl } from "../invitation.ts";
import { defaultLimits } from "../limits.ts";
import { defaultLog } from "../log.ts";
import { canonicalName } from "../names.ts";
import { createPasswords } from "../passwords.ts";
import { assertStoreExists, openStore } from "../store/open.ts";
import type { Store } from "../store/store.ts";
import { askPassword } from "./ask-password.ts";
import type { StoreValues } from "./serve.ts";

/** Creates an account. The server may be running. */
export async function addUser(name: string, flags: StoreValues): Promise<number> {
  return withNewAccounts(flags, async (accounts) => {
    // Before the operator types a password.
    await accounts.newName(name);
    await accounts.add(name, await askPassword(`Password for ${name}: `));
    console.log(`${name} can sign in now.`);
  });
}

/** Prints the names of all accounts. */
export async function listUsers(flags: StoreValues): Promise<number> {
  return withAccounts(flags, async (accounts) => {
    for (const name of await accounts.list()) console.log(name);
  });
}

/** Removes an account, its sessions and its trust. */
export async function removeUser(name: string, flags: StoreValues): Promise<number> {
  return withAccounts(flags, async (accounts, announce) => {
    await accounts.remove(name);
    await announce(name);
    console.log(`${name} is removed, with all sessions.`);
  });
}

/** Sets a password and ends all sessions. */
export async function setPassword(name: string, flags: StoreValues): Promise<number> {
  return withAccounts(flags, async (accounts, announce) => {
    await accounts.existingName(name);
    await accounts.setPassword(name, await askPassword(`New password for ${name}: `));
    await announce(name);
    console.log(`${name} has a new password. All sessions have ended.`);
  });
}

/** Creates trust between two accounts. */
export async function trustUsers(
  names: readonly [string, string, string, string],
  flags: StoreValues,
): Promise<number> {
  return withAccounts(flags, async (accounts, announce) => {
    const [a, aliasOfB, b, aliasOfA] = names;
    await accounts.trust(a, aliasOfB, b, aliasOfA);
    await announce(a);
    console.log(`${a} and ${b} trust each other now.`);
  });
}

/** Prints the sessions of an account. */
export async function listSessions(name: string, flags: StoreValues): Promise<number> {
  return withAccounts(flags, async (accounts) => {
    for (const { peer, seen } of await accounts.sessions(name)) console.log(`${peer}  ${new Date(seen).toISOString()}`);
  });
}

/** Prints a one-use invitation link, of the operator or of a user. */
export async function invite(email: string, from: InvitationFrom | undefined, flags: StoreValues): Promise<number> {
  return withNewAccounts(flags, async (accounts) => {
    const { link, expires, hasAccount } = await accounts.invite(email, from);
    const use = hasAccount
      ? `The owner of the account ${email} accepts with its password.`
      : `Anyone who has the link can create the account ${email}.`;
    console.log(`${link}\n\nThe link works once, until ${expires.toISOString()}. ${use}`);
  });
}

/** Ends the session of a peer. */
export async function kick(peer: string, flags: StoreValues): Promise<number> {
  return withAccounts(flags, async (_, announce, store) => {
    await store.endSession(peer);
    await announce("");
    console.log(`The session of ${peer} has ended, if there was one.`);
  });
}

/** Prints the bans, or adds one. `until`: an ISO date. */
export async function ban(banned: Banned | undefined, until: string, flags: StoreValues): Promise<number> {
  return withAccounts(flags, async (_, announce, store) => {
    const bans = createBans(store, systemClock);
    if (banned !== undefined) {
      await bans.add(banned, new Date(until));
      await announce("");
    }
    for (const listed of await bans.list())
      console.log(
        `${"user" in listed ? `user ${listed.user}` : `address ${listed.address}`}  ${listed.until.toISOString()}`,
      );
  });
}

/** Ends a ban. */
export async function unban(banned: Banned, flags: StoreValues): Promise<number> {
  return withAccounts(flags, async (_, announce, store) => {
    await createBans(store, systemClock).remove(banned);
    await announce("");
    console.log("The ban has ended.");
  });
}

/** Tells running servers that an account has changed. */
type Announce = (username: string) => Promise<void>;

type Work = (accounts: Accounts, announce: Announce, store: Store) => Promise<void>;

/** Works on a store that exists. In one that a mistyped path creates, a ban or a removal would have no effect. */
async function withAccounts(flags: StoreValues, work: Work): Promise<number> {
  assertStoreExists(storeOf(flags));
  return withNewAccounts(flags, work);
}

/** Works on a store that may be created: an operator may add accounts before the first start of the server. */
async function withNewAccounts(flags: StoreValues, work: Work): Promise<number> {
  const base = publicUrl(flags.url ?? "http://127.0.0.1:8000");
  const store = await openStore(storeOf(flags), defaultLog("warn"));
  try {
    const node = await createLocalCluster().join({ message: () => {}, stale: () => {} });
    await work(
      createAccounts({
        store,
        passwords: await createPasswords(1),
        limiter: createAttemptLimiter(node, defaultLimits),
        clock: systemClock,
        limits: defaultLimits,
        link: (secret) => invitationLink(base, secret),
      }),
      async (username) => store.addChange?.({ id: randomUUID(), username: canonicalName(username), at: Date.now() }),
      store,
    );
    return 0;
  } finally {
    await store.close();
  }
}

function storeOf({ store }: StoreValues): string {
  return store ?? "bonevalue.db";
}
