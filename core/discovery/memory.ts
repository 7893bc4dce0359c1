import { type Clock, systemClock } from "../clock.ts";
import type { Alias, PeerId } from "../peer.ts";
import type { Discovery } from "./discovery.ts";
import { createAccounts } from "./memory/accounts.ts";
import { type MemoryServer, type MemorySession, openMemorySession } from "./memory/session.ts";
import { createSwitchboard } from "./memory/switchboard.ts";

/** What {@link createMemoryDiscovery} takes. */
export interface MemoryDiscoveryOptions {
  readonly clock?: Clock | undefined;
  /** How long everything takes each way, in ms. Default 0. */
  readonly latency?: number | undefined;
  /** From 0 up to 1; makes ids and tokens, so that a seeded one makes a run repeatable. */
  readonly random?: (() => number) | undefined;
  /** Gets the invitations that users ask for. */
  readonly mail?: ((email: string, invite: string) => void) | undefined;
}

/** A discovery server inside this process, for tests: with users, trust, and outages at will. `host` means nothing to it. */
export interface MemoryDiscovery extends Discovery {
  addUser(username: string, password: string): void;
  /** `a` calls `b` by `aliasOfB`, and the other way round. Whoever is online is told. */
  trust(a: string, aliasOfB: Alias, b: string, aliasOfA: Alias): void;
  distrust(a: string, b: string): void;
  /** Cuts one peer off, or ends the server itself, which then knows of nobody online. */
  interrupt(id?: PeerId): void;
  /** Lets that peer come back, or everybody. */
  restore(id?: PeerId): void;
}

/** With no users yet. */
export function createMemoryDiscovery(options: MemoryDiscoveryOptions = {}): MemoryDiscovery {
  const { clock = systemClock, latency = 0, random = Math.random, mail = () => {} } = options;
  const secret = () => Array.from({ length: 32 }, () => Math.floor(random() * 16).toString(16)).join("");
  const accounts = createAccounts(clock, secret);
  const board = createSwitchboard(accounts);
  const sessions = new Set<MemorySession>();
  let down = false;
  const server: MemoryServer = { clock, latency, accounts, board, sessions, secret, mail, isDown: () => down };

  const those = (id: PeerId | undefined) =>
    [...sessions].filter((session) => id === undefined || session.login()?.id === id);

  return {
    open: (_host, credentials, events) => openMemorySession(server, credentials, events).session,
    addUser: accounts.add,
    trust(a, aliasOfB, b, aliasOfA) {
      accounts.trust(a, aliasOfB, b, aliasOfA);
      board.joined(a, b);
    },
    distrust: board.part,
    interrupt(id) {
      if (id === undefined) board.forget();
      down ||= id === undefined;
      for (const session of those(id)) session.cut();
    },
    restore(id) {
      down &&= id !== undefined;
      if (!down) for (const session of those(id)) session.comeBack();
    },
  };
}
