import type { Alias, Peer, PeerId } from "../../peer.ts";
import type { SignalKind } from "../../protocol/messages.ts";
import type { DiscoveryEvents, Snapshot } from "../discovery.ts";
import type { Accounts } from "./accounts.ts";

/** One login of a user, as the server sees it. */
export interface Login {
  readonly id: PeerId;
  readonly username: string;
  /** Whether its line is up; a login whose line has broken stays online for the grace. */
  readonly reachable: () => boolean;
  /** Lets something be known on its line. */
  readonly tell: (news: (events: DiscoveryEvents) => void) => void;
}

/** Who is online, and who is told of it: what a discovery server does once it knows whose a line is. */
export interface Switchboard {
  /** Online from now on. Everybody concerned is told, unless they never heard that it had gone. */
  arrive(login: Login): Snapshot;
  depart(id: PeerId, lost: boolean): void;
  /** Nobody is online any more, and nobody is told: the server itself has gone. */
  forget(): void;
  relay(kind: SignalKind, from: Login, to: PeerId, signal: unknown): void;
  /** Two users trust each other from now on. */
  joined(a: string, b: string): void;
  /** Ends the trust between two users. */
  part(a: string, b: string): void;
  online(username: string): readonly Login[];
}

/** With nobody online. */
export function createSwitchboard(accounts: Accounts): Switchboard {
  const logins = new Map<PeerId, Login>();

  const online = (username: string) => [...logins.values()].filter((login) => login.username === username);

  /** `peer` as `viewer` knows it, if at all. */
  function seenBy(viewer: Login, peer: Login): Peer | undefined {
    const name = viewer.id === peer.id ? undefined : accounts.aliasOf(viewer.username, peer.username);
    return name === undefined ? undefined : { id: peer.id, name };
  }

  function announce(login: Login) {
    for (const viewer of logins.values()) {
      const peer = seenBy(viewer, login);
      if (peer) viewer.tell((events) => events.peerConnect(peer));
    }
  }

  function introduce(owner: string, alias: Alias, peers: readonly Login[]) {
    for (const login of online(owner)) {
      login.tell((events) => {
        events.userAdd(alias);
        for (const { id } of peers) events.peerConnect({ id, name: alias });
      });
    }
  }

  function withdraw(owner: string, alias: Alias, peers: readonly Login[]) {
    for (const login of online(owner)) {
      login.tell((events) => {
        for (const { id } of peers) events.peerDisconnect(id, false);
        events.userRemove(alias);
      });
    }
  }

  return {
    online,
    arrive(login) {
      logins.set(login.id, login);
      announce(login);
      const peers = [...logins.values()].flatMap((other) => seenBy(login, other) ?? []);
      const self = { id: login.id, username: login.username };
      return {
        self,
        users: accounts.aliases(login.username),
        peers: peers.map((peer) => Object.freeze(peer)),
      };
    },
    depart(id, lost) {
      const gone = logins.get(id);
      logins.delete(id);
      if (!gone) return;
      for (const viewer of logins.values()) {
        if (seenBy(viewer, gone)) viewer.tell((events) => events.peerDisconnect(id, lost));
      }
    },
    forget() {
      logins.clear();
    },
    relay(kind, from, to, signal) {
      const target = logins.get(to);
      if (!target || !seenBy(target, from)) from.tell((events) => events.unreachable(to));
      else if (target.reachable()) target.tell((events) => events.signal(kind, from.id, signal));
    },
    joined(a, b) {
      for (const [owner, other] of bothWays(a, b))
        introduce(owner, accounts.aliasOf(owner, other) ?? other, online(other));
    },
    part(a, b) {
      for (const [owner, other] of bothWays(a, b))
        withdraw(owner, accounts.aliasOf(owner, other) ?? other, online(other));
      accounts.distrust(a, b);
    },
  };
}

function bothWays(a: string, b: string) {
  return [
    [a, b],
    [b, a],
  ] as const;
}
