import { is } from "valibot";
import { systemClock } from "../clock.ts";
import { BonevalueError } from "../errors.ts";
import type { Alias, Peer } from "../peer.ts";
import { us } from "../protocol/alias.ts";
import type { Member } from "./broadcast-channel/membership.ts";
import { enterRoom, type Room, type RoomPlatform } from "./broadcast-channel/room.ts";
import { username } from "./broadcast-channel/tab-messages.ts";
import type { Credentials, Discovery, DiscoveryEvents, DiscoverySession } from "./discovery.ts";
import { createPageLifecycle, type PageLifecycle } from "./page-lifecycle.ts";

/** What {@link broadcastChannel} needs of its platform. */
export interface BroadcastChannelOptions extends RoomPlatform {
  readonly page: PageLifecycle;
}

/**
 * Tabs of one origin, without a server: `host` names the channel, and all users know each other by their user names,
 * which nobody checks. What only a server can do is `unsupported`.
 *
 * @example
 * const client = createClient({ discovery: broadcastChannel() });
 * await client.connect("chat", "ann", "");
 */
export function broadcastChannel(options: Partial<BroadcastChannelOptions> = {}): Discovery {
  return {
    open: (host, credentials, events) =>
      openSession(`bonevalue:${host}`, credentials, events, {
        BroadcastChannel: globalThis.BroadcastChannel,
        locks: globalThis.navigator?.locks,
        clock: systemClock,
        page: createPageLifecycle(),
        ...options,
      }),
  };
}

function openSession(
  name: string,
  credentials: Credentials,
  events: DiscoveryEvents,
  platform: BroadcastChannelOptions,
): DiscoverySession {
  const users = new Set<Alias>();
  const own: Member = { id: createId(), username: "username" in credentials ? credentials.username : "" };
  let room: Room | undefined;
  let online = false;
  let over = false;

  const pageListeners = [platform.page.onHide(hide), platform.page.onWake(wake)];
  queueMicrotask(enter);

  return {
    signal(kind, to, signal) {
      if (!online) return;
      if (room?.has(to)) room.signal(kind, to, signal);
      else queueMicrotask(() => online && events.unreachable(to));
    },
    invite: unsupported,
    requestToken: unsupported,
    claimToken: unsupported,
    removeUser: unsupported,
    changePassword: unsupported,
    async close() {
      stop();
    },
  };

  function wake() {
    events.woke();
    enter();
  }

  function enter() {
    if (over || room) return;
    try {
      checkUsername(credentials);
      room = enterRoom(
        name,
        own,
        { entered, failed, joined, left: events.peerDisconnect, signal: events.signal },
        platform,
      );
    } catch (cause) {
      failed(cause);
    }
  }

  function entered(members: readonly Member[]) {
    online = true;
    for (const { username } of members) if (username !== own.username) users.add(username);
    const self = { id: own.id, username: own.username };
    events.online({ self, users: [...users], peers: members.map(peerOf) });
  }

  function joined(member: Member) {
    const peer = peerOf(member);
    if (peer.name !== us && !users.has(peer.name)) {
      users.add(peer.name);
      events.userAdd(peer.name);
    }
    events.peerConnect(peer);
  }

  function peerOf({ id, username }: Member): Peer {
    return Object.freeze({ id, name: username === own.username ? us : username });
  }

  function failed(cause: unknown) {
    stop();
    events.ended(cause instanceof BonevalueError ? cause : notHere(cause));
  }

  function hide() {
    leave();
    if (online) events.interrupted(putAway());
    online = false;
  }

  function stop() {
    over = true;
    online = false;
    for (const undo of pageListeners) undo();
    leave();
  }

  function leave() {
    room?.leave();
    room = undefined;
  }
}

function createId(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function checkUsername(credentials: Credentials) {
  if (!("username" in credentials)) {
    throw new BonevalueError("unsupported", "Without a server there are no tokens or invitations. Give a user name.");
  }
  if (!is(username, credentials.username)) {
    const message = `"${credentials.username}" cannot be a user name here, since others call us by it. Choose another.`;
    throw new BonevalueError("alias-reserved", message);
  }
}

async function unsupported(): Promise<never> {
  throw new BonevalueError("unsupported", "This needs a discovery server: tabs of one origin know each other anyway.");
}

function notHere(cause: unknown): BonevalueError {
  const message =
    "This page has no BroadcastChannel that it may use. Serve it over http(s), or use a discovery server.";
  return new BonevalueError("unsupported", message, { cause });
}

function putAway(): BonevalueError {
  return new BonevalueError("disconnected", "The page was put away. We come back when it is shown.");
}
