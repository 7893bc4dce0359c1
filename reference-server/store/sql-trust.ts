import type { Kysely, Transaction } from "kysely";
import type { Tables } from "./schema.ts";
import type { Store } from "./store.ts";
import { inTransaction } from "./transaction.ts";

/** The part of the store for trust and its tokens. */
export function trustIn(db: Kysely<Tables>): Pick<Store, "trusted" | "trust" | "untrust" | "addToken" | "claimToken"> {
  return {
    trusted: (username) =>
      db
        .selectFrom("trust as mine")
        .innerJoin("trust as theirs", (join) =>
          join.onRef("theirs.owner", "=", "mine.other").onRef("theirs.other", "=", "mine.owner"),
        )
        .select(["mine.other as username", "mine.alias as alias"])
        .where("mine.owner", "=", username)
        .execute(),
    trust: (a, aliasOfB, b, aliasOfA) =>
      inTransaction(db, async (step) => {
        if (a === b || (await trusts(step, a, b))) return { refused: "token-invalid" };
        if ((await hasAlias(step, a, aliasOfB)) || (await hasAlias(step, b, aliasOfA)))
          return { refused: "alias-taken" };
        await addTrust(step, a, aliasOfB, b, aliasOfA);
        return { other: b };
      }),
    untrust: (owner, alias) =>
      inTransaction(db, async (step) => {
        const mine = step.selectFrom("trust").select("other").where("owner", "=", owner).where("alias", "=", alias);
        const other = (await mine.executeTakeFirst())?.other;
        return other !== undefined && (await endTrust(step, owner, other)) ? other : undefined;
      }),
    addToken: (token) =>
      inTransaction(db, async (step) => {
        if (await hasAlias(step, token.owner, token.alias)) return false;
        await step
          .insertInto("tokens")
          .values(token)
          .onConflict((older) =>
            older.columns(["owner", "alias"]).doUpdateSet({ hash: token.hash, expires: token.expires }),
          )
          .execute();
        return true;
      }),
    claimToken: (hash, claimer, alias, now) =>
      inTransaction(db, async (step) => {
        const valid = step.selectFrom("tokens").selectAll().where("hash", "=", hash).where("expires", ">", now);
        const token = await valid.executeTakeFirst();
        if (token === undefined || token.owner === claimer || (await trusts(step, claimer, token.owner)))
          return { refused: "token-invalid" };
        if (await hasAlias(step, token.owner, token.alias)) return { refused: "token-invalid" };
        if (await hasAlias(step, claimer, alias)) return { refused: "alias-taken" };
        const used = await step.deleteFrom("tokens").where("hash", "=", hash).returning("hash").executeTakeFirst();
        if (used === undefined) return { refused: "token-invalid" };
        await addTrust(step, token.owner, token.alias, claimer, alias);
        return { other: token.owner };
      }),
  };
}

/** Whether `owner` trusts `other`. */
export async function trusts(db: Kysely<Tables>, owner: string, other: string): Promise<boolean> {
  const query = db.selectFrom("trust").select("alias").where("owner", "=", owner).where("other", "=", other);
  return (await query.executeTakeFirst()) !== undefined;
}

/** Whether `owner` uses this alias. */
export async function hasAlias(db: Kysely<Tables>, owner: string, alias: string): Promise<boolean> {
  const query = db.selectFrom("trust").select("other").where("owner", "=", owner).where("alias", "=", alias);
  return (await query.executeTakeFirst()) !== undefined;
}

/** Creates mutual trust. The caller has checked that it is missing and that the aliases are free. */
export async function addTrust(
  step: Transaction<Tables>,
  a: string,
  aliasOfB: string,
  b: string,
  aliasOfA: string,
): Promise<void> {
  const rows = [
    { owner: a, other: b, alias: aliasOfB },
    { owner: b, other: a, alias: aliasOfA },
  ];
  await step.insertInto("trust").values(rows.sort(byOwner)).execute();
}

async function endTrust(step: Transaction<Tables>, a: string, b: string): Promise<boolean> {
  const rows = [
    { owner: a, other: b },
    { owner: b, other: a },
  ];
  let ended = false;
  for (const { owner, other } of rows.sort(byOwner)) {
    const row = step.deleteFrom("trust").where("owner", "=", owner).where("other", "=", other);
    if (await row.returning("owner").executeTakeFirst()) ended = true;
  }
  return ended;
}

// All transactions lock rows in the same order, so that two concurrent ones cannot deadlock.
function byOwner(x: { owner: string }, y: { owner: string }): number {
  return x.owner < y.owner ? -1 : 1;
}
