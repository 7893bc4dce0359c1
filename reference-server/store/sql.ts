import type { Kysely } from "kysely";
import type { Tables } from "./schema.ts";
import { invitationsIn } from "./sql-invitations.ts";
import { trustIn } from "./sql-trust.ts";
import type { Store } from "./store.ts";
import { inTransaction } from "./transaction.ts";

/** Creates the store over SQL, for both engines. `close` ends the connection. */
export function createSqlStore(db: Kysely<Tables>): Store {
  return {
    ...accountsIn(db),
    ...sessionsIn(db),
    ...trustIn(db),
    ...invitationsIn(db),
    ...bansIn(db),
    ...maintenanceOf(db),
  };
}

function accountsIn(
  db: Kysely<Tables>,
): Pick<Store, "account" | "accounts" | "addAccount" | "setPassword" | "removeAccount" | "rehash" | "changePassword"> {
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
    async accounts() {
      const rows = await db.selectFrom("accounts").select("username").orderBy("username").execute();
      return rows.map(({ username }) => username);
    },
    setPassword: (username, password) =>
      inTransaction(db, async (step) => {
        const account = step.updateTable("accounts").set({ password }).where("username", "=", username);
        if ((await account.returning("username").executeTakeFirst()) === undefined) return false;
        await step.deleteFrom("sessions").where("username", "=", username).execute();
        return true;
      }),
    removeAccount: (username) =>
      inTransaction(db, async (step) => {
        const others = await step.selectFrom("trust").select("owner").where("other", "=", username).execute();
        await step.deleteFrom("invitations").where("email", "=", username).execute();
        const gone = await step
          .deleteFrom("accounts")
          .where("username", "=", username)
          .returning("username")
          .executeTakeFirst();
        return gone && others.map(({ owner }) => owner);
      }),
    rehash: (username, from, to) => setPassword(db, username, from, to),
    changePassword: (username, from, to, keep) =>
      inTransaction(db, async (step) => {
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

function sessionsIn(
  db: Kysely<Tables>,
): Pick<
  Store,
  "addSession" | "session" | "sessionsOf" | "sessionsOfAccount" | "seen" | "endSession" | "addGuest" | "guest"
> {
  return {
    addSession: (session, password, most) =>
      inTransaction(db, async (step) => {
        // Writing the same hash locks the row: a change of password, which ends sessions, runs before or after this step.
        if (password !== undefined && !(await setPassword(step, session.username, password, password))) return false;
        if (most !== undefined) await endOldest(step, session.username, most - 1);
        await step.insertInto("sessions").values(session).execute();
        return true;
      }),
    session: (hash, since) =>
      db.selectFrom("sessions").selectAll().where("hash", "=", hash).where("seen", ">", since).executeTakeFirst(),
    async sessionsOf(peers) {
      const found = new Set<string>();
      for (const some of batches(peers)) {
        for (const table of tablesOfPeers) {
          const rows = await db.selectFrom(table).select("peer").where("peer", "in", some).execute();
          for (const { peer } of rows) found.add(peer);
        }
      }
      return found;
    },
    sessionsOfAccount: (username) =>
      db
        .selectFrom("sessions")
        .select(["peer", "seen"])
        .where("username", "=", username)
        .orderBy("seen", "desc")
        .execute(),
    async seen(peers, at) {
      for (const some of batches(peers))
        for (const table of tablesOfPeers)
          await db.updateTable(table).set({ seen: at }).where("peer", "in", some).execute();
    },
    async endSession(peer) {
      for (const table of tablesOfPeers) await db.deleteFrom(table).where("peer", "=", peer).execute();
    },
    async addGuest(guest) {
      await db.insertInto("guests").values(guest).execute();
    },
    guest: (hash, since) =>
      db.selectFrom("guests").selectAll().where("hash", "=", hash).where("seen", ">", since).executeTakeFirst(),
  };
}

const tablesOfPeers = ["sessions", "guests"] as const;

async function endOldest(db: Kysely<Tables>, username: string, most: number): Promise<void> {
  const rows = await db
    .selectFrom("sessions")
    .select("peer")
    .where("username", "=", username)
    .orderBy("seen", "desc")
    .limit(maxParameters)
    .offset(most)
    .execute();
  const peers = rows.map(({ peer }) => peer);
  if (peers.length > 0) await db.deleteFrom("sessions").where("peer", "in", peers).execute();
}

// Engines limit the number of parameters of one statement.
const maxParameters = 500;

function batches<Item>(all: readonly Item[]): Item[][] {
  const count = Math.ceil(all.length / maxParameters);
  return Array.from({ length: count }, (_, at) => all.slice(at * maxParameters, (at + 1) * maxParameters));
}

function bansIn(db: Kysely<Tables>): Pick<Store, "addBan" | "removeBan" | "bans"> {
  return {
    async addBan({ subject, until }) {
      const ban = db.insertInto("bans").values({ subject, until });
      await ban.onConflict((older) => older.column("subject").doUpdateSet({ until })).execute();
    },
    async removeBan(subject) {
      const removed = db.deleteFrom("bans").where("subject", "=", subject).returning("subject");
      return (await removed.executeTakeFirst()) !== undefined;
    },
    bans: (now) => db.selectFrom("bans").selectAll().where("until", ">", now).orderBy("subject").execute(),
  };
}

function maintenanceOf(
  db: Kysely<Tables>,
): Pick<Store, "heartbeat" | "endHeartbeat" | "addChange" | "changes" | "purge" | "close"> {
  return {
    async heartbeat(id, seen, since) {
      const row = db.insertInto("servers").values({ id, seen });
      await row.onConflict((older) => older.column("id").doUpdateSet({ seen })).execute();
      const others = db.selectFrom("servers").select("id").where("id", "!=", id).where("seen", ">", since);
      return (await others.execute()).map((other) => other.id);
    },
    async endHeartbeat(id) {
      await db.deleteFrom("servers").where("id", "=", id).execute();
    },
    async addChange(change) {
      await db.insertInto("changes").values(change).execute();
    },
    changes: (since) => db.selectFrom("changes").selectAll().where("at", ">", since).execute(),
    async purge(now, since, guestsSince) {
      await db.deleteFrom("tokens").where("expires", "<=", now).execute();
      await db.deleteFrom("bans").where("until", "<=", now).execute();
      await db.deleteFrom("invitations").where("expires", "<=", now).execute();
      await db.deleteFrom("sessions").where("seen", "<=", since).execute();
      await db.deleteFrom("guests").where("seen", "<=", guestsSince).execute();
      await db.deleteFrom("servers").where("seen", "<=", since).execute();
      await db.deleteFrom("changes").where("at", "<=", since).execute();
    },
    close: () => db.destroy(),
  };
}
