import { type Generated, type Kysely, sql } from "kysely";
import { type Migration, Migrator } from "kysely/migration";

/** The tables for Kysely. Times are ms since 1970; secrets are SHA-256 hashes. */
export interface Tables {
  accounts: { username: string; password: string | null };
  sessions: {
    peer: string;
    hash: string;
    username: string;
    app: Generated<string>;
    device: Generated<string | null>;
    seen: number;
  };
  devices: { id: string; hash: string; username: string; created: number; used: number };
  guests: { peer: string; hash: string; group: string; name: string; seen: number };
  trust: { owner: string; other: string; alias: string };
  tokens: { hash: string; owner: string; alias: string; expires: number };
  invitations: {
    hash: string;
    email: string;
    expires: number;
    inviter: string | null;
    alias_of_invited: string | null;
    alias_of_inviter: string | null;
  };
  bans: { subject: string; until: number };
  servers: { id: string; seen: number };
  changes: { id: string; username: string; at: number };
}

const user = "accounts.username";

const first: Migration = {
  async up(db: Kysely<unknown>) {
    const { schema } = db;
    await schema
      .createTable("accounts")
      .ifNotExists()
      .addColumn("username", "text", (column) => column.primaryKey())
      .addColumn("password", "text")
      .execute();
    await schema
      .createTable("sessions")
      .ifNotExists()
      .addColumn("peer", "text", (column) => column.primaryKey())
      .addColumn("hash", "text", (column) => column.notNull().unique())
      .addColumn("username", "text", (column) => column.notNull().references(user).onDelete("cascade"))
      .addColumn("seen", "bigint", (column) => column.notNull())
      .execute();
    await schema.createIndex("sessions_of_account").ifNotExists().on("sessions").column("username").execute();
    await schema
      .createTable("trust")
      .ifNotExists()
      .addColumn("owner", "text", (column) => column.notNull().references(user).onDelete("cascade"))
      .addColumn("other", "text", (column) => column.notNull().references(user).onDelete("cascade"))
      .addColumn("alias", "text", (column) => column.notNull())
      .addPrimaryKeyConstraint("trust_once", ["owner", "other"])
      .addUniqueConstraint("alias_once", ["owner", "alias"])
      .execute();
    await schema.createIndex("trust_of_other").ifNotExists().on("trust").column("other").execute();
    await schema
      .createTable("tokens")
      .ifNotExists()
      .addColumn("hash", "text", (column) => column.primaryKey())
      .addColumn("owner", "text", (column) => column.notNull().references(user).onDelete("cascade"))
      .addColumn("alias", "text", (column) => column.notNull())
      .addColumn("expires", "bigint", (column) => column.notNull())
      .addUniqueConstraint("token_once", ["owner", "alias"])
      .execute();
    await schema
      .createTable("invitations")
      .ifNotExists()
      .addColumn("hash", "text", (column) => column.primaryKey())
      .addColumn("email", "text", (column) => column.notNull())
      .addColumn("expires", "bigint", (column) => column.notNull())
      .execute();
    await schema.createIndex("invitations_to").ifNotExists().on("invitations").column("email").execute();
  },
};

const servers: Migration = {
  up: (db: Kysely<unknown>) =>
    db.schema
      .createTable("servers")
      .ifNotExists()
      .addColumn("id", "text", (column) => column.primaryKey())
      .addColumn("seen", "bigint", (column) => column.notNull())
      .execute(),
};

const changes: Migration = {
  up: (db: Kysely<unknown>) =>
    db.schema
      .createTable("changes")
      .ifNotExists()
      .addColumn("id", "text", (column) => column.primaryKey())
      .addColumn("username", "text", (column) => column.notNull())
      .addColumn("at", "bigint", (column) => column.notNull())
      .execute(),
};

const apps: Migration = {
  up: (db: Kysely<unknown>) =>
    db.schema
      .alterTable("sessions")
      .addColumn("app", "text", (column) => column.notNull().defaultTo(""))
      .execute(),
};

const invitationsThatTrust: Migration = {
  async up({ schema }: Kysely<unknown>) {
    const table = () => schema.alterTable("invitations");
    await table()
      .addColumn("inviter", "text", (column) => column.references(user).onDelete("cascade"))
      .execute();
    await table().addColumn("alias_of_invited", "text").execute();
    await table().addColumn("alias_of_inviter", "text").execute();
    await schema.createIndex("invitations_from").ifNotExists().on("invitations").column("inviter").execute();
  },
};

const guests: Migration = {
  async up(db: Kysely<unknown>) {
    const { schema } = db;
    await schema
      .createTable("guests")
      .ifNotExists()
      .addColumn("peer", "text", (column) => column.primaryKey())
      .addColumn("hash", "text", (column) => column.notNull().unique())
      .addColumn("group", "text", (column) => column.notNull())
      .addColumn("name", "text", (column) => column.notNull())
      .addColumn("seen", "bigint", (column) => column.notNull())
      .execute();
    await schema.createIndex("guests_seen").ifNotExists().on("guests").column("seen").execute();
  },
};

const bans: Migration = {
  up: (db: Kysely<unknown>) =>
    db.schema
      .createTable("bans")
      .ifNotExists()
      .addColumn("subject", "text", (column) => column.primaryKey())
      .addColumn("until", "bigint", (column) => column.notNull())
      .execute(),
};

const devices: Migration = {
  async up({ schema }: Kysely<unknown>) {
    await schema
      .createTable("devices")
      .ifNotExists()
      .addColumn("id", "text", (column) => column.primaryKey())
      .addColumn("hash", "text", (column) => column.notNull().unique())
      .addColumn("username", "text", (column) => column.notNull().references(user).onDelete("cascade"))
      .addColumn("created", "bigint", (column) => column.notNull())
      .addColumn("used", "bigint", (column) => column.notNull())
      .execute();
    await schema.createIndex("devices_of_account").ifNotExists().on("devices").column("username").execute();
    await schema
      .alterTable("sessions")
      .addColumn("device", "text", (column) => column.references("devices.id").onDelete("cascade"))
      .execute();
    await schema.createIndex("sessions_of_device").ifNotExists().on("sessions").column("device").execute();
  },
};

const migrations: Record<string, Migration> = {
  "2026-01-first": first,
  "2026-02-servers": servers,
  "2026-03-changes": changes,
  "2026-04-apps": apps,
  "2026-05-invitations": invitationsThatTrust,
  "2026-06-guests": guests,
  "2026-07-bans": bans,
  "2026-08-devices": devices,
};

/** Migrates the tables to this version and keeps their data. Rejects if the database does not answer. */
export async function migrate(db: Kysely<Tables>): Promise<void> {
  await sql`select 1`.execute(db);
  const migrator = new Migrator({ db, provider: { getMigrations: async () => migrations } });
  const { error } = await migrator.migrateToLatest();
  if (error === undefined) return;
  // Kysely reports migrations that it does not know as "corrupted migrations".
  const isNewer = error instanceof Error && error.message.startsWith("corrupted migrations");
  throw isNewer ? new NewerDatabaseError() : error;
}

/** The database has migrations that this version does not know. */
export class NewerDatabaseError extends Error {
  constructor() {
    super("it was written by a newer version of bonevalue-server");
  }
}
