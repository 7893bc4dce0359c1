import type { Kysely } from "kysely";
import type { Tables } from "./schema.ts";
import { devicesIn } from "./sql-devices.ts";
import { invitationsIn } from "./sql-invitations.ts";
import { sessionsIn, setPassword } from "./sql-sessions.ts";
import { trustIn } from "./sql-trust.ts";
import type { Store } from "./store.ts";
import { inTransaction } from "./transaction.ts";

/** Creates the store over SQL, for both engines. `close` ends the connection. */
export function createSqlStore(db: Kysely<Tables>): Store {
  return {
    ...accountsIn(db),
    ...sessionsIn(db),
    ...devicesIn(db),
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
        await step.deleteFrom("devices").where("username", "=", username).execute();
        return true;
      }),
    removeAccount: (username) =>
      inTransaction(db, async (step) => {
        const others = await step.selectFrom("trust").select("owner").where("other", "=", username).execute();
        // Also those of the user's own, before the account: an acceptance locks its invitation first, and then the inviter.
        await step
          .deleteFrom("invitations")
          .where(({ eb, or }) => or([eb("email", "=", username), eb("inviter", "=", username)]))
          .execute();
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
        const kept = step.updateTable("sessions").set({ hash: keep.hash }).where("peer", "=", keep.peer);
        const device = (await kept.returning("device").executeTakeFirst())?.device ?? "";
        await step.deleteFrom("devices").where("username", "=", username).where("id", "!=", device).execute();
        return true;
      }),
  };
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
    async purge(now, since, guestsSince, devicesSince) {
      await db.deleteFrom("tokens").where("expires", "<=", now).execute();
      await db.deleteFrom("bans").where("until", "<=", now).execute();
      await db.deleteFrom("invitations").where("expires", "<=", now).execute();
      await db.deleteFrom("sessions").where("seen", "<=", since).execute();
      await db.deleteFrom("guests").where("seen", "<=", guestsSince).execute();
      if (devicesSince !== undefined) await db.deleteFrom("devices").where("used", "<=", devicesSince).execute();
      await db.deleteFrom("servers").where("seen", "<=", since).execute();
      await db.deleteFrom("changes").where("at", "<=", since).execute();
    },
    close: () => db.destroy(),
  };
}
