import { type Clock, systemClock } from "../clock.ts";
import type { Alias, PeerId } from "../peer.ts";
import type { Discovery } from "./discovery.ts";
import { createAccounts } from "./memory/accounts.ts";
import { createSecrets } from "./memory/secrets.ts";
import { type MemoryServer, type MemorySession, openMemorySession } from "./memory/session.ts";
import { createSwitchboard } from "./memory/switchboard.ts";

/** The options of {@link createMemoryDiscovery}. */
export interface MemoryDiscoveryOptions {
  readonly clock?: Clock | undefined;
  /** The latency of each direction, in ms. Default 0. */
  readonly latency?: number | undefined;
  /** Returns numbers from 0 up to 1, for ids and tokens. A seeded one makes a run repeatable. */
  readonly random?: (() => number) | undefined;
  /** Receives the invitations that users request. */
  readonly mail?: ((email: string, invite: string) => void) | undefined;
}

/** A discovery server inside this process, for tests, with users, trust, rooms, apps and outages. It ignores `host`. */
export interface MemoryDiscovery extends Discovery {
  /** Adds an account, which trusts nobody yet. */
  addUser(username: string, password: string): void;
  /** `a` names `b` `aliasOfB`, and `b` names `a` `aliasOfA`. Their online logins are notified. */
  trust(a: string, aliasOfB: Alias, b: string, aliasOfA: Alias): void;
  /** Ends trust between two users. */
  distrust(a: string, b: string): void;
  /** Interrupts the connection of one peer, or stops the server, which loses its list of online peers. */
  interrupt(id?: PeerId): void;
  /** Restores the connection of one peer, or of all. */
  restore(id?: PeerId): void;
}

/** Creates a server without users. */
export function createMemoryDiscovery(options: MemoryDiscoveryOptions = {}): MemoryDiscovery {
  const { clock = systemClock, latency = 0, random = Math.random, mail = () => {} } = options;
  const secret = () => Array.from({ length: 32 }, () => Math.floor(random() * 16).toString(16)).join("");
  const accounts = createAccounts(clock, secret);
  const switchboard = createSwitchboard(accounts);
  const secrets = createSecrets(secret);
  const sessions = new Set<MemorySession>();
  let down = false;
  const server: MemoryServer = {
    clock,
    latency,
    accounts,
    switchboard,
    secrets,
    sessions,
    secret,
    mail,
    isDown: () => down,
  };

  const sessionsOf = (id: PeerId | undefined) =>
    [...sessions].filter((session) => id === undefined || session.login()?.id === id);

  return {
    local: true,
    open: (_host, credentials, events, options) => openMemorySession(server, credentials, events, options).session,
    addUser: accounts.add,
    trust(a, aliasOfB, b, aliasOfA) {
      accounts.trust(a, aliasOfB, b, aliasOfA);
      switchboard.trusted(a, b);
    },
    distrust: switchboard.distrust,
    interrupt(id) {
      if (id === undefined) switchboard.clear();
      down ||= id === undefined;
      for (const session of sessionsOf(id)) session.interrupt();
    },
    restore(id) {
      down &&= id !== undefined;
      if (!down) for (const session of sessionsOf(id)) session.restore();
    },
  };
}
