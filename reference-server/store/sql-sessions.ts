import type { Kysely } from "kysely";
import type { Tables } from "./schema.ts";
import type { Store } from "./store.ts";
import { inTransaction } from "./transaction.ts";

/** Replaces the password hash `from` of an account. False if the stored hash is another one. */
export async function setPassword(db: Kysely<Tables>, username: string, from: string, to: string): Promise<boolean> {
  const changed = await db
    .updateTable("accounts")
    .set({ password: to })
    .where("username", "=", username)
    .where("password", "=", from)
    .returning("username")
    .executeTakeFirst();
  return changed !== undefined;
}

/** The part of the store for sessions, also those of guests. */
export function sessionsIn(
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
    async session(hash, since) {
      const found = db.selectFrom("sessions").selectAll().where("hash", "=", hash).where("seen", ">", since);
      const row = await found.executeTakeFirst();
      return row && { ...row, device: row.device ?? undefined };
    },
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
      for (const some of batches(peers)) {
        for (const table of tablesOfPeers)
          await db.updateTable(table).set({ seen: at }).where("peer", "in", some).execute();
        const used = db
          .selectFrom("sessions")
          .select("device")
          .where("peer", "in", some)
          .where("device", "is not", null);
        await db.updateTable("devices").set({ used: at }).where("id", "in", used).execute();
      }
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

/** Ends the least recently seen sessions of an account above `most`. */
export async function endOldest(db: Kysely<Tables>, username: string, most: number): Promise<void> {
  // Unlimited. SQL has no infinite number.
  if (most === Number.POSITIVE_INFINITY) return;
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
