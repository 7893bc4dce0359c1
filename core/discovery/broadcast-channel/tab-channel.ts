import { safeParse } from "valibot";
import type { Clock } from "../../clock.ts";
import type { PeerId, Profile } from "../../peer.ts";
import type { SignalKind } from "../../protocol/messages.ts";
import type { OpenOptions } from "../discovery.ts";
import { createHeartbeatMembership } from "./heartbeat-membership.ts";
import { createLockMembership } from "./lock-membership.ts";
import type { Member } from "./membership.ts";
import { type TabMessage, tabMessage } from "./tab-messages.ts";

/** The parts of the platform that a channel of tabs uses. */
export interface TabChannelPlatform {
  readonly BroadcastChannel: new (name: string) => BroadcastChannel;
  /** Undefined if the platform has none. */
  readonly locks: LockManager | undefined;
  readonly clock: Clock;
}

/** The events of a channel: `opened` or `failed` first, and none after `leave`. */
export interface TabChannelEvents {
  opened(members: readonly Member[]): void;
  failed(cause: unknown): void;
  joined(member: Member): void;
  /** A member has said something of itself. */
  updated(id: PeerId, profile: unknown): void;
  /** `lost`: it is uncertain whether the tab is gone. */
  left(id: PeerId, lost: boolean): void;
  signal(kind: SignalKind, from: PeerId, signal: unknown): void;
}

/** The tabs that use the same channel. */
export interface TabChannel {
  /** Tells the others what this tab says about itself now. */
  sendProfile(profile: Profile): void;
  has(id: PeerId): boolean;
  signal(kind: SignalKind, to: PeerId, signal: unknown): void;
  leave(): void;
}

/**
 * Joins the channel `name`. `profile` returns what this tab says about itself now. Throws if this page may not use a
 * BroadcastChannel.
 */
export function joinTabChannel(
  name: string,
  own: Member,
  profile: OpenOptions["profile"],
  events: TabChannelEvents,
  platform: TabChannelPlatform,
): TabChannel {
  const { BroadcastChannel, locks, clock } = platform;
  const channel = new BroadcastChannel(name);
  const membership = locks ? createLockMembership(locks, name, own) : createHeartbeatMembership(clock);
  const members = new Map<PeerId, { member: Member; readonly unwatch: () => void }>();
  let state: "joining" | "open" | "left" = "joining";

  channel.addEventListener("message", ({ data }) => onMessage(data));
  membership.join(() => introduce("hello")).then(onJoined, onFailed);

  return {
    sendProfile: (changed) => post({ type: "profile", from: own.id, profile: changed }),
    has: (id) => members.has(id),
    signal: (kind, to, signal) => post({ type: "signal", from: own.id, to, kind, signal }),
    leave() {
      post({ type: "bye", from: own.id });
      state = "left";
      membership.leave();
      for (const { unwatch } of members.values()) unwatch();
      channel.close();
    },
  };

  function onJoined(known: readonly Member[]) {
    if (state === "left") return;
    for (const member of known) add(member);
    state = "open";
    events.opened([...members.values()].map(({ member }) => member));
  }

  function onFailed(cause: unknown) {
    if (state !== "left") events.failed(cause);
  }

  function post(message: TabMessage) {
    if (state !== "left") channel.postMessage(message);
  }

  function onMessage(data: unknown) {
    const { success, output: message } = safeParse(tabMessage, data);
    // Any script of the origin may use the channel, so unknown messages are ignored.
    if (!success || state === "left") return;
    const { type, from } = message;
    membership.onHeard(from);
    if (type === "bye") remove(from, false);
    else if (type === "profile") update(from, message.profile);
    else if (type === "hello" || type === "here") {
      add({ id: from, username: message.username, profile: message.profile });
      if (type === "hello") introduce("here");
    } else if (state === "open" && message.to === own.id && members.has(from)) {
      events.signal(message.kind, from, message.signal);
    }
  }

  function introduce(type: "hello" | "here") {
    post({ type, from: own.id, username: own.username, profile: profile?.() });
  }

  function add(member: Member) {
    if (member.id === own.id) return;
    if (members.has(member.id)) return update(member.id, member.profile);
    const unwatch = membership.watch(member, (lost) => remove(member.id, lost));
    members.set(member.id, { member, unwatch });
    if (state === "open") events.joined(member);
  }

  function update(id: PeerId, profile: unknown) {
    const known = members.get(id);
    // A tab of an older version, or a lock, does not tell.
    if (!known || profile === undefined) return;
    known.member = { ...known.member, profile };
    if (state === "open") events.updated(id, profile);
  }

  function remove(id: PeerId, lost: boolean) {
    const known = members.get(id);
    if (!known) return;
    members.delete(id);
    known.unwatch();
    if (state === "open") events.left(id, lost);
  }
}
