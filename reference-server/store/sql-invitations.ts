import type { Kysely, Selectable, Transaction } from "kysely";
import type { Tables } from "./schema.ts";
import { addTrust, hasAlias, trusts } from "./sql-trust.ts";
import type { AcceptResult, Invitation, Store } from "./store.ts";
import { inTransaction } from "./transaction.ts";

/** The part of the store for invitations. */
export function invitationsIn(
  db: Kysely<Tables>,
): Pick<Store, "addInvitation" | "invitation" | "acceptInvitation" | "acceptTrust"> {
  return {
    async addInvitation({ hash, email, expires, inviter, trust }) {
      const aliases = {
        alias_of_invited: trust?.aliasOfInvited ?? null,
        alias_of_inviter: trust?.aliasOfInviter ?? null,
      };
      await db
        .insertInto("invitations")
        .values({ hash, email, expires, inviter: inviter ?? null, ...aliases })
        .execute();
    },
    async invitation(hash, now) {
      const valid = db.selectFrom("invitations").selectAll().where("hash", "=", hash).where("expires", ">", now);
      const row = await valid.executeTakeFirst();
      return row && toInvitation(row);
    },
    acceptInvitation: (hash, password, now) =>
      accept(db, hash, now, async (step, username) => {
        const account = step.insertInto("accounts").values({ username, password });
        const added = account.onConflict((conflict) => conflict.doNothing()).returning("username");
        return (await added.executeTakeFirst()) !== undefined;
      }),
    acceptTrust: (hash, password, now) =>
      accept(db, hash, now, async (step, username) => {
        // Writing the same hash locks the row: a change of password runs before or after this step.
        const account = step.updateTable("accounts").set({ password }).where("username", "=", username);
        return (await account.where("password", "=", password).returning("username").executeTakeFirst()) !== undefined;
      }),
  };
}

/** Uses an invitation up, if `openAccount` succeeds and the aliases are free. */
function accept(
  db: Kysely<Tables>,
  hash: string,
  now: number,
  openAccount: (step: Transaction<Tables>, username: string) => Promise<boolean>,
): Promise<AcceptResult> {
  return inTransaction(db, async (step) => {
    // Writing the same value locks the row: of two transactions that accept it, or end it, one runs after the other.
    const locked = step.updateTable("invitations").set({ hash }).where("hash", "=", hash).where("expires", ">", now);
    const row = await locked.returningAll().executeTakeFirst();
    if (row === undefined) return { refused: "token-invalid" };
    const { email, inviter, trust } = toInvitation(row);
    const isNew = inviter !== undefined && trust !== undefined && !(await trusts(step, inviter, email));
    if (isNew && inviter === email) return { refused: "token-invalid" };
    if (isNew && (await hasAlias(step, inviter, trust.aliasOfInvited))) return { refused: "alias-taken" };
    if (isNew && (await hasAlias(step, email, trust.aliasOfInviter))) return { refused: "alias-taken" };
    if (!(await openAccount(step, email))) return { refused: "token-invalid" };
    if (isNew) await addTrust(step, inviter, trust.aliasOfInvited, email, trust.aliasOfInviter);
    await step
      .deleteFrom("invitations")
      .where("email", "=", email)
      .where(({ eb, or }) => or([eb("hash", "=", hash), eb("alias_of_invited", "is", null)]))
      .execute();
    return { username: email, inviter: isNew ? inviter : undefined };
  });
}

function toInvitation(row: Selectable<Tables["invitations"]>): Invitation {
  const { hash, email, expires, inviter, alias_of_invited: aliasOfInvited, alias_of_inviter: aliasOfInviter } = row;
  const trust = aliasOfInvited === null || aliasOfInviter === null ? undefined : { aliasOfInvited, aliasOfInviter };
  return { hash, email, expires, inviter: inviter ?? undefined, trust };
}
