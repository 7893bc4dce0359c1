import type { Alias, PeerId, PeerInfo, Profile } from "../../peer.ts";
import type { SignalKind } from "../../protocol/messages.ts";
import type { DiscoveryEvents, Snapshot } from "../discovery.ts";
import type { Accounts } from "./accounts.ts";

/** One login of a user, or a guest of a room. */
export interface Login {
  readonly id: PeerId;
  readonly app: string;
  /** In a room, the name that the guest has chosen. */
  readonly username: string;
  readonly room?: string | undefined;
  profile: Profile | undefined;
  /** Whether its connection works. A login without one stays online for the grace period. */
  readonly isReachable: () => boolean;
  /** Emits events on its connection. */
  readonly notify: (emit: (events: DiscoveryEvents) => void) => void;
}

/** Presence and signaling of the memory server. */
export interface Switchboard {
  /** The login is online. Announces it, unless the others still see it. Returns its snapshot. */
  join(login: Login): Snapshot;
  /** The login is offline. Does nothing once another page has continued its session. */
  leave(login: Login, lost: boolean): void;
  /** Announces the profile of a login. */
  updated(login: Login): void;
  /** The server has stopped: all peers go offline without a notification. */
  clear(): void;
  relay(kind: SignalKind, from: Login, to: PeerId, signal: unknown): void;
  /** Announces two users who trust each other now to each other. */
  trusted(a: string, b: string): void;
  /** Ends the trust between two users. */
  distrust(a: string, b: string): void;
}

/** Creates a switchboard without logins. */
export function createSwitchboard(accounts: Accounts): Switchboard {
  const logins = new Map<PeerId, Login>();

  const loginsOf = (username: string) => [...logins.values()].filter((login) => isLoginOf(username, login));

  /** `peer` as `viewer` names it; undefined if `viewer` does not trust its user, or is in another room or app. */
  function peerSeenBy(viewer: Login, peer: Login): PeerInfo | undefined {
    if (viewer.id === peer.id || viewer.app !== peer.app || viewer.room !== peer.room) return undefined;
    const name = viewer.room === undefined ? accounts.aliasOf(viewer.username, peer.username) : peer.username;
    return name === undefined ? undefined : { id: peer.id, name, profile: peer.profile };
  }

  function announce(login: Login) {
    for (const viewer of logins.values()) {
      const peer = peerSeenBy(viewer, login);
      if (peer) viewer.notify((events) => events.peerConnect(peer));
    }
  }

  function announceUser(owner: string, alias: Alias, peers: readonly Login[]) {
    for (const login of loginsOf(owner)) {
      login.notify((events) => {
        events.userAdd(alias);
        for (const { id, app, profile } of peers)
          if (app === login.app) events.peerConnect({ id, name: alias, profile });
      });
    }
  }

  function removeUser(owner: string, alias: Alias, peers: readonly Login[]) {
    for (const login of loginsOf(owner)) {
      login.notify((events) => {
        for (const { id, app } of peers) if (app === login.app) events.peerDisconnect(id, false);
        events.userRemove(alias);
      });
    }
  }

  return {
    join(login) {
      logins.set(login.id, login);
      announce(login);
      const peers = [...logins.values()].flatMap((other) => peerSeenBy(login, other) ?? []);
      return {
        self: selfOf(login),
        users: login.room === undefined ? accounts.aliases(login.username) : [],
        peers: peers.map((peer) => Object.freeze(peer)),
      };
    },
    leave(left, lost) {
      if (logins.get(left.id) !== left) return;
      logins.delete(left.id);
      for (const viewer of logins.values()) {
        if (peerSeenBy(viewer, left)) viewer.notify((events) => events.peerDisconnect(left.id, lost));
      }
    },
    updated(login) {
      const { id, profile } = login;
      for (const viewer of logins.values()) {
        if (peerSeenBy(viewer, login)) viewer.notify((events) => events.peerUpdate(id, profile));
      }
    },
    clear() {
      logins.clear();
    },
    relay(kind, from, to, signal) {
      const target = logins.get(to);
      if (!target || !peerSeenBy(target, from)) from.notify((events) => events.unreachable(to));
      else if (target.isReachable()) target.notify((events) => events.signal(kind, from.id, signal));
    },
    trusted(a, b) {
      for (const [owner, other] of bothWays(a, b))
        announceUser(owner, accounts.aliasOf(owner, other) ?? other, loginsOf(other));
    },
    distrust(a, b) {
      for (const [owner, other] of bothWays(a, b))
        removeUser(owner, accounts.aliasOf(owner, other) ?? other, loginsOf(other));
      accounts.distrust(a, b);
    },
  };
}

/** Whether `login` is one of the user `username`, and no guest. */
export function isLoginOf(username: string, login: Login | undefined): boolean {
  return login?.username === username && login.room === undefined;
}

function selfOf({ id, username, room }: Login): Snapshot["self"] {
  return { id, username, ...(room !== undefined && { room }) };
}

function bothWays(a: string, b: string) {
  return [
    [a, b],
    [b, a],
  ] as const;
}
