import type { Kysely, Transaction } from "kysely";
import type { Tables } from "./schema.ts";
import type { Store, Trusting } from "./store.ts";

/** The store over SQL, the same for both engines. `close` ends the connection. */
export function sqlStore(db: Kysely<Tables>): Store {
  return { ...accountsIn(db), ...sessionsIn(db), ...trustIn(db), ...invitationsIn(db), ...upkeepOf(db) };
}

function accountsIn(
  db: Kysely<Tables>,
): Pick<Store, "account" | "addAccount" | "removeAccount" | "rehash" | "changePassword"> {
  return {
    async account(username) {
      const row = await db.selectFrom("accounts").selectAll().where("username", "=", username).executeTakeFirst();
      return row && { username: row.username, password: row.password ?? undefined };
    },
    async addAccount(username, password) {
      const added = await db
        .insertInto("accounts")
        .values({ username, password: password ?? null })
        .onConflict((conflict) => conflict.doNothing())
        .returning("username")
        .executeTakeFirst();
      return added !== undefined;
    },
    removeAccount: (username) =>
      db.transaction().execute(async (step) => {
        const others = await step.selectFrom("trust").select("owner").where("other", "=", username).execute();
        const gone = await step
          .deleteFrom("accounts")
          .where("username", "=", username)
          .returning("username")
          .executeTakeFirst();
        return gone && others.map(({ owner }) => owner);
      }),
    rehash: (username, from, to) => setPassword(db, username, from, to),
    changePassword: (username, from, to, keep) =>
      db.transaction().execute(async (step) => {
        if (!(await setPassword(step, username, from, to))) return false;
        await step.deleteFrom("sessions").where("username", "=", username).where("peer", "!=", keep.peer).execute();
        await step.updateTable("sessions").set({ hash: keep.hash }).where("peer", "=", keep.peer).execute();
        return true;
      }),
  };
}

async function setPassword(db: Kysely<Tables>, username: string, from: string, to: string): Promise<boolean> {
  const changed = await db
    .updateTable("accounts")
    .set({ password: to })
    .where("username", "=", username)
    .where("password", "=", from)
    .returning("username")
    .executeTakeFirst();
  return changed !== undefined;
}

function sessionsIn(db: Kysely<Tables>): Pick<Store, "addSession" | "session" | "sessionsOf" | "seen" | "endSession"> {
  return {
    async addSession(session) {
      await db.insertInto("sessions").values(session).execute();
    },
    session: (hash, since) =>
      db.selectFrom("sessions").selectAll().where("hash", "=", hash).where("seen", ">", since).executeTakeFirst(),
    async sessionsOf(peers) {
      const found = new Set<string>();
      for (const some of portions(peers)) {
        const rows = await db.selectFrom("sessions").select("peer").where("peer", "in", some).execute();
        for (const { peer } of rows) found.add(peer);
      }
      return found;
    },
    async seen(peers, at) {
      for (const some of portions(peers))
        await db.updateTable("sessions").set({ seen: at }).where("peer", "in", some).execute();
    },
    async endSession(peer) {
      await db.deleteFrom("sessions").where("peer", "=", peer).execute();
    },
  };
}

// Engines bound the number of parameters of one statement.
function portions<Item>(all: readonly Item[], size = 500): Item[][] {
  return Array.from({ length: Math.ceil(all.length / size) }, (_, at) => all.slice(at * size, (at + 1) * size));
}

function trustIn(db: Kysely<Tables>): Pick<Store, "trusted" | "trust" | "untrust" | "addToken" | "claimToken"> {
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

function invitationsIn(db: Kysely<Tables>): Pick<Store, "addInvitation" | "invitation" | "acceptInvitation"> {
  const find = (from: Kysely<Tables>, hash: string, now: number) =>
    from.selectFrom("invitations").selectAll().where("hash", "=", hash).where("expires", ">", now).executeTakeFirst();
  return {
    async addInvitation(invitation) {
      await db.insertInto("invitations").values(invitation).execute();
    },
    invitation: (hash, now) => find(db, hash, now),
    acceptInvitation: (hash, password, now) =>
      db.transaction().execute(async (step) => {
        const invitation = await find(step, hash, now);
        if (invitation === undefined) return undefined;
        const { email } = invitation;
        await step.deleteFrom("invitations").where("email", "=", email).execute();
        const added = await step
          .insertInto("accounts")
          .values({ username: email, password })
          .onConflict((conflict) => conflict.doNothing())
          .returning("username")
          .executeTakeFirst();
        return added?.username;
      }),
  };
}

function upkeepOf(db: Kysely<Tables>): Pick<Store, "purge" | "close"> {
  return {
    async purge(now, since) {
      await db.deleteFrom("tokens").where("expires", "<=", now).execute();
      await db.deleteFrom("invitations").where("expires", "<=", now).execute();
      await db.deleteFrom("sessions").where("seen", "<=", since).execute();
    },
    close: () => db.destroy(),
  };
}
