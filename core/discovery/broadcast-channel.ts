import { is } from "valibot";
import { systemClock } from "../clock.ts";
import { BonevalueError } from "../errors.ts";
import type { Alias, Peer } from "../peer.ts";
import { us } from "../protocol/alias.ts";
import type { Member } from "./broadcast-channel/membership.ts";
import { joinRoom, type Room, type RoomPlatform } from "./broadcast-channel/room.ts";
import { username } from "./broadcast-channel/tab-messages.ts";
import type { Credentials, Discovery, DiscoveryEvents, DiscoverySession } from "./discovery.ts";
import { createPageLifecycle, type PageLifecycle } from "./page-lifecycle.ts";

/** The options of {@link broadcastChannel}. */
export interface BroadcastChannelOptions extends RoomPlatform {
  readonly page: PageLifecycle;
}

/**
 * Discovery among the tabs of one origin, without a server. `host` names the channel. All users trust each other under
 * their user names, which are not verified. Requests that need a server reject with `unsupported`.
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
  const own: Member = { id: createId(), username: "username" in credentials ? credentials.username.normalize() : "" };
  let room: Room | undefined;
  let isOnline = false;
  let isOver = false;

  const undoPage = [platform.page.onHide(onHide), platform.page.onWake(onWake)];
  queueMicrotask(join);

  return {
    signal(kind, to, signal) {
      if (!isOnline) return;
      if (room?.has(to)) room.signal(kind, to, signal);
      else queueMicrotask(() => isOnline && events.unreachable(to));
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

  function onWake() {
    events.woke();
    join();
  }

  function join() {
    if (isOver || room) return;
    try {
      checkUsername(credentials);
      room = joinRoom(
        name,
        own,
        { opened: onOpened, failed: onFailed, joined: onJoined, left: events.peerDisconnect, signal: events.signal },
        platform,
      );
    } catch (cause) {
      onFailed(cause);
    }
  }

  function onOpened(members: readonly Member[]) {
    isOnline = true;
    for (const { username } of members) if (username !== own.username) users.add(username);
    const self = { id: own.id, username: own.username };
    events.online({ self, users: [...users], peers: members.map(peerOf) });
  }

  function onJoined(member: Member) {
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

  function onFailed(cause: unknown) {
    stop();
    events.ended(cause instanceof BonevalueError ? cause : noBroadcastChannel(cause));
  }

  function onHide() {
    leave();
    if (isOnline) events.interrupted(pageHidden());
    isOnline = false;
  }

  function stop() {
    isOver = true;
    isOnline = false;
    for (const undo of undoPage) undo();
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
    throw new BonevalueError(
      "unsupported",
      "Without a server there are no tokens and no invitations. Pass a user name.",
    );
  }
  if (!is(username, credentials.username)) {
    const message = `The user name "${credentials.username}" is reserved. Choose another.`;
    throw new BonevalueError("alias-reserved", message);
  }
}

async function unsupported(): Promise<never> {
  throw new BonevalueError(
    "unsupported",
    "This needs a discovery server. Tabs of one origin trust each other already.",
  );
}

function noBroadcastChannel(cause: unknown): BonevalueError {
  const message = "This page may not use BroadcastChannel. Serve it over http(s), or use a discovery server.";
  return new BonevalueError("unsupported", message, { cause });
}

function pageHidden(): BonevalueError {
  return new BonevalueError("disconnected", "The page was hidden. The client reconnects when it is shown.");
}
