import type { Kysely, Transaction } from "kysely";
import type { Tables } from "./schema.ts";
import type { Store, Trusting } from "./store.ts";

/** Trust and its tokens, over SQL. */
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
      settled(db, async (step) => {
        if (a === b || (await trusts(step, a, b))) return { refused: "token-invalid" };
        if ((await calls(step, a, aliasOfB)) || (await calls(step, b, aliasOfA))) return { refused: "alias-taken" };
        await addTrust(step, a, aliasOfB, b, aliasOfA);
        return { other: b };
      }),
    untrust: (owner, alias) =>
      db.transaction().execute(async (step) => {
        const ended = await step
          .deleteFrom("trust")
          .where("owner", "=", owner)
          .where("alias", "=", alias)
          .returning("other")
          .executeTakeFirst();
        if (ended === undefined) return undefined;
        await step.deleteFrom("trust").where("owner", "=", ended.other).where("other", "=", owner).execute();
        return ended.other;
      }),
    addToken: (token) =>
      db.transaction().execute(async (step) => {
        if (await calls(step, token.owner, token.alias)) return false;
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
      settled(db, async (step) => {
        const valid = step.selectFrom("tokens").selectAll().where("hash", "=", hash).where("expires", ">", now);
        const token = await valid.executeTakeFirst();
        if (token === undefined || token.owner === claimer || (await trusts(step, claimer, token.owner)))
          return { refused: "token-invalid" };
        if (await calls(step, token.owner, token.alias)) return { refused: "token-invalid" };
        if (await calls(step, claimer, alias)) return { refused: "alias-taken" };
        const used = await step.deleteFrom("tokens").where("hash", "=", hash).returning("hash").executeTakeFirst();
        if (used === undefined) return { refused: "token-invalid" };
        await addTrust(step, token.owner, token.alias, claimer, alias);
        return { other: token.owner };
      }),
  };
}

async function trusts(db: Kysely<Tables>, owner: string, other: string): Promise<boolean> {
  const query = db.selectFrom("trust").select("alias").where("owner", "=", owner).where("other", "=", other);
  return (await query.executeTakeFirst()) !== undefined;
}

async function calls(db: Kysely<Tables>, owner: string, alias: string): Promise<boolean> {
  const query = db.selectFrom("trust").select("other").where("owner", "=", owner).where("alias", "=", alias);
  return (await query.executeTakeFirst()) !== undefined;
}

async function addTrust(step: Transaction<Tables>, a: string, aliasOfB: string, b: string, aliasOfA: string) {
  const rows = [
    { owner: a, other: b, alias: aliasOfB },
    { owner: b, other: a, alias: aliasOfA },
  ];
  // In one order for everybody: two claims that cross then wait for each other instead of deadlocking.
  await step
    .insertInto("trust")
    .values(rows.sort((x, y) => (x.owner < y.owner ? -1 : 1)))
    .execute();
}

/**
 * Runs a step that looks before it writes. Where another connection wrote between the two, a constraint refuses the
 * write, and a second look says why.
 */
async function settled(db: Kysely<Tables>, run: (step: Transaction<Tables>) => Promise<Trusting>): Promise<Trusting> {
  const attempt = () => db.transaction().execute(run);
  try {
    return await attempt();
  } catch (error) {
    if (!isConflict(error)) throw error;
    return attempt();
  }
}

// PostgreSQL's unique_violation, serialization_failure and deadlock_detected.
const conflicts: ReadonlySet<unknown> = new Set(["23505", "40001", "40P01"]);

function isConflict(error: unknown): boolean {
  return error instanceof Error && "code" in error && conflicts.has(error.code);
}
