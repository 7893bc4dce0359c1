import { type Accounts, createAccounts } from "../accounts.ts";
import { createAttemptLimiter } from "../attempt-limiter.ts";
import { systemClock } from "../clock.ts";
import { createLocalCluster } from "../cluster/local.ts";
import { invitationLink, publicUrl } from "../invitation.ts";
import { defaultLimits } from "../limits.ts";
import { defaultLog } from "../log.ts";
import { createPasswords } from "../passwords.ts";
import { openStore } from "../store/open.ts";
import { askPassword } from "./ask-password.ts";
import type { StoreValues } from "./serve.ts";

/** Creates an account. The server may be running. */
export async function addUser(name: string, flags: StoreValues): Promise<number> {
  return withAccounts(flags, async (accounts) => {
    await accounts.add(name, await askPassword(`Password for ${name}: `));
    console.log(`${name} can sign in now.`);
  });
}

/** Prints a one-use invitation link. */
export async function invite(email: string, flags: StoreValues): Promise<number> {
  return withAccounts(flags, async (accounts) => {
    const { link, expires } = await accounts.invite(email);
    console.log(
      `${link}\n\nThe link works once, until ${expires.toISOString()}. Anyone who has it can create the account ${email}.`,
    );
  });
}

async function withAccounts(flags: StoreValues, work: (accounts: Accounts) => Promise<void>): Promise<number> {
  const base = publicUrl(flags.url ?? "http://127.0.0.1:8000");
  const store = await openStore(flags.store ?? "bonevalue.db", defaultLog("warn"));
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
    );
    return 0;
  } finally {
    await store.close();
  }
}
