import { systemClock } from "../clock.ts";
import { BonevalueError } from "../errors.ts";
import type { Alias, PeerInfo } from "../peer.ts";
import { us } from "../protocol/alias.ts";
import { nameProblem } from "../protocol/names.ts";
import type { Member } from "./broadcast-channel/membership.ts";
import { joinTabChannel, type TabChannel, type TabChannelPlatform } from "./broadcast-channel/tab-channel.ts";
import type {
  Credentials,
  Discovery,
  DiscoveryEvents,
  DiscoverySession,
  OpenOptions,
  StoredCredentials,
} from "./discovery.ts";
import { createPageLifecycle, type PageLifecycle } from "./page-lifecycle.ts";

/** The options of {@link broadcastChannel}. */
export interface BroadcastChannelOptions extends TabChannelPlatform {
  readonly page: PageLifecycle;
}

/**
 * Discovery among the tabs of one origin, without a server. `host` names the channel; each room and each app has a channel of
 * its own. All users trust each other under their user names, which are not verified. Requests that need a server reject with `unsupported`.
 *
 * @example
 * const client = createClient({ discovery: broadcastChannel() });
 * await client.connect("chat", "ann", "");
 */
export function broadcastChannel(options: Partial<BroadcastChannelOptions> = {}): Discovery {
  return {
    local: true,
    open: (host, credentials, events, { app, profile }) =>
      openSession(channelOf(host, credentials, app), credentials, events, profile, {
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
  credentials: Credentials | StoredCredentials,
  events: DiscoveryEvents,
  profile: OpenOptions["profile"],
  platform: BroadcastChannelOptions,
): DiscoverySession {
  const users = new Set<Alias>();
  const own: Member = { id: createId(), username: nameIn(credentials).normalize() };
  const room = "room" in credentials ? credentials.room : undefined;
  let channel: TabChannel | undefined;
  let isOnline = false;
  let isOver = false;

  const undoPage = [platform.page.onHide(onHide), platform.page.onWake(onWake)];
  queueMicrotask(join);

  return {
    signal(kind, to, signal) {
      if (!isOnline) return;
      if (channel?.has(to)) channel.signal(kind, to, signal);
      else queueMicrotask(() => isOnline && events.unreachable(to));
    },
    setProfile(changed) {
      channel?.sendProfile(changed);
      return true;
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
    if (isOver || channel) return;
    try {
      checkName(credentials, own.username);
      channel = joinTabChannel(
        name,
        own,
        profile,
        {
          opened: onOpened,
          failed: onFailed,
          joined: onJoined,
          updated: events.peerUpdate,
          left: events.peerDisconnect,
          signal: events.signal,
        },
        platform,
      );
    } catch (cause) {
      onFailed(cause);
    }
  }

  function onOpened(members: readonly Member[]) {
    isOnline = true;
    for (const member of members) addUser(member);
    const self = { ...own, ...(room !== undefined && { room }) };
    events.online({ self, users: [...users], peers: members.map(peerOf) });
  }

  function onJoined(member: Member) {
    if (addUser(member)) events.userAdd(member.username);
    events.peerConnect(peerOf(member));
  }

  /** Adds the user of a member; false if there is nothing to add. Guests of a room are no users. */
  function addUser({ username }: Member): boolean {
    if (room !== undefined || username === own.username || users.has(username)) return false;
    users.add(username);
    return true;
  }

  function peerOf({ id, username, profile }: Member): PeerInfo {
    const isOwn = room === undefined && username === own.username;
    return Object.freeze({ id, name: isOwn ? us : username, profile });
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
    channel?.leave();
    channel = undefined;
  }
}

function createId(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The prefixes and the quotes of JSON keep the channels of hosts, apps and rooms apart, for any names. */
function channelOf(host: string, credentials: Credentials | StoredCredentials, app: string): string {
  const room = "room" in credentials ? credentials.room : undefined;
  return app === "" && room === undefined ? `bonevalue:${host}` : `bonevalue ${JSON.stringify([host, app, room])}`;
}

function nameIn(credentials: Credentials | StoredCredentials): string {
  if ("room" in credentials) return credentials.name ?? "";
  return "username" in credentials ? credentials.username : "";
}

function checkName(credentials: Credentials | StoredCredentials, name: string) {
  if (!("username" in credentials || "room" in credentials)) {
    throw new BonevalueError(
      "unsupported",
      "Without a server there are no tokens and no invitations. Pass a user name or a room.",
    );
  }
  const problem = nameProblem(name);
  if (problem !== undefined) throw new BonevalueError("alias-reserved", `The name ${problem}. Choose another.`);
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
