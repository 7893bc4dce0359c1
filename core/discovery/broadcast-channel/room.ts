import { safeParse } from "valibot";
import type { Clock } from "../../clock.ts";
import type { PeerId } from "../../peer.ts";
import type { SignalKind } from "../../protocol/messages.ts";
import { createHeartbeatMembership } from "./heartbeat-membership.ts";
import { createLockMembership } from "./lock-membership.ts";
import type { Member } from "./membership.ts";
import { type TabMessage, tabMessage } from "./tab-messages.ts";

/** What a room needs of its platform. */
export interface RoomPlatform {
  readonly BroadcastChannel: new (name: string) => BroadcastChannel;
  /** Undefined where the platform has none. */
  readonly locks: LockManager | undefined;
  readonly clock: Clock;
}

/** What is told of a room: first `entered` or `failed`, and nothing after we have left. */
export interface RoomEvents {
  entered(members: readonly Member[]): void;
  failed(cause: unknown): void;
  joined(member: Member): void;
  /** `lost` when it is a guess. */
  left(id: PeerId, lost: boolean): void;
  signal(kind: SignalKind, from: PeerId, signal: unknown): void;
}

/** The tabs of one name, while we are among them. */
export interface Room {
  has(id: PeerId): boolean;
  signal(kind: SignalKind, to: PeerId, signal: unknown): void;
  /** Says goodbye. */
  leave(): void;
}

/** Enters the room `name`. Throws where the platform has no such thing for this page. */
export function enterRoom(name: string, own: Member, events: RoomEvents, platform: RoomPlatform): Room {
  const { BroadcastChannel, locks, clock } = platform;
  const channel = new BroadcastChannel(name);
  const roll = locks ? createLockMembership(locks, name, own) : createHeartbeatMembership(clock);
  const members = new Map<PeerId, { readonly member: Member; readonly unwatch: () => void }>();
  let state: "entering" | "inside" | "outside" = "entering";

  channel.addEventListener("message", ({ data }) => hear(data));
  roll.enter(() => say({ type: "hello", from: own.id, username: own.username })).then(entered, failed);

  return {
    has: (id) => members.has(id),
    signal: (kind, to, signal) => say({ type: "signal", from: own.id, to, kind, signal }),
    leave() {
      say({ type: "bye", from: own.id });
      state = "outside";
      roll.leave();
      for (const { unwatch } of members.values()) unwatch();
      members.clear();
      channel.close();
    },
  };

  function entered(seen: readonly Member[]) {
    if (state === "outside") return;
    for (const member of seen) add(member);
    state = "inside";
    events.entered([...members.values()].map(({ member }) => member));
  }

  function failed(cause: unknown) {
    if (state !== "outside") events.failed(cause);
  }

  function say(message: TabMessage) {
    if (state !== "outside") channel.postMessage(message);
  }

  function hear(data: unknown) {
    const { success, output: message } = safeParse(tabMessage, data);
    // Any script of the origin may use the channel: what is not ours is not for us.
    if (!success || state === "outside") return;
    const { type, from } = message;
    roll.heard(from);
    if (type === "bye") remove(from, false);
    else if (type === "here") add({ id: from, username: message.username });
    else if (type === "hello") greet({ id: from, username: message.username });
    else if (state === "inside" && message.to === own.id && members.has(from)) {
      events.signal(message.kind, from, message.signal);
    }
  }

  function greet(member: Member) {
    add(member);
    say({ type: "here", from: own.id, username: own.username });
  }

  function add(member: Member) {
    if (member.id === own.id || members.has(member.id)) return;
    const unwatch = roll.watch(member, (lost) => remove(member.id, lost));
    members.set(member.id, { member, unwatch });
    if (state === "inside") events.joined(member);
  }

  function remove(id: PeerId, lost: boolean) {
    const known = members.get(id);
    if (!known) return;
    members.delete(id);
    known.unwatch();
    if (state === "inside") events.left(id, lost);
  }
}
