import type { Kysely, Transaction } from "kysely";
import type { Tables } from "./schema.ts";
import { endOldest } from "./sql-sessions.ts";
import type { Device, Store } from "./store.ts";
import { inTransaction } from "./transaction.ts";

/** The part of the store for devices, and for sessions that begin without credentials. */
export function devicesIn(
  db: Kysely<Tables>,
): Required<Pick<Store, "addSessionFrom" | "addDevice" | "devices" | "forgetDevice">> {
  return {
    addSessionFrom: (source, added, since, most) =>
      inTransaction(db, async (step) => {
        // Writing the row locks it: a step that ends the source runs before this one, or after it and finds the session.
        const from = await ("device" in source
          ? touchDevice(step, source.device, added.seen, since)
          : touchSession(step, source.session, added.seen, since));
        if (from === undefined) return undefined;
        const session = { ...added, username: from.username, device: from.device };
        if (most !== undefined) await endOldest(step, session.username, most - 1);
        await step.insertInto("sessions").values(session).execute();
        return { ...session, device: session.device ?? undefined };
      }),
    addDevice: (device, peer, most) =>
      inTransaction(db, async (step) => {
        const session = step.updateTable("sessions").where("peer", "=", peer);
        // Writing the row locks it: the session cannot end before it has its device.
        if ((await session.set({ peer }).returning("peer").executeTakeFirst()) === undefined) return false;
        await step.insertInto("devices").values(device).execute();
        await session.set({ device: device.id }).execute();
        await forgetOldest(step, device, most);
        return true;
      }),
    devices: (username) =>
      db.selectFrom("devices").selectAll().where("username", "=", username).orderBy("used", "desc").execute(),
    forgetDevice: (username, id) =>
      inTransaction(db, async (step) => {
        const device = step.updateTable("devices").set({ username }).where("id", "=", id);
        const locked = await device.where("username", "=", username).returning("id").executeTakeFirst();
        if (locked === undefined) return [];
        const ended = await step.deleteFrom("sessions").where("device", "=", id).returning("peer").execute();
        await step.deleteFrom("devices").where("id", "=", id).execute();
        return ended.map(({ peer }) => peer);
      }),
  };
}

/** Where a session begins: its account, and its device if it has one. */
interface Source {
  readonly username: string;
  readonly device: string | null;
}

async function touchDevice(
  db: Transaction<Tables>,
  hash: string,
  used: number,
  since: number,
): Promise<Source | undefined> {
  const device = db.updateTable("devices").set({ used }).where("hash", "=", hash).where("used", ">", since);
  return device.returning(["username", "id as device"]).executeTakeFirst();
}

async function touchSession(
  db: Transaction<Tables>,
  hash: string,
  seen: number,
  since: number,
): Promise<Source | undefined> {
  const session = db.updateTable("sessions").set({ seen }).where("hash", "=", hash).where("seen", ">", since);
  return session.returning(["username", "device"]).executeTakeFirst();
}

/** Keeps the device that was just added, and the `most - 1` others that were used last. */
async function forgetOldest(db: Transaction<Tables>, { username, id }: Device, most: number): Promise<void> {
  // Unlimited. SQL has no infinite number.
  if (most === Number.POSITIVE_INFINITY) return;
  const others = db.selectFrom("devices").select("id").where("username", "=", username).where("id", "!=", id);
  const kept = others.orderBy("used", "desc").limit(most - 1);
  const forgotten = db.deleteFrom("devices").where("username", "=", username).where("id", "!=", id);
  await forgotten.where("id", "not in", kept).execute();
}
