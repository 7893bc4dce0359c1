import type { WebSocket } from "ws";
import { closeCode } from "../core/protocol/close-code.ts";
import { encodeProfile } from "../core/protocol/profile.ts";
import type { Requester } from "./accounts.ts";
import type { Bans } from "./bans.ts";
import { afterReading, type Clock } from "./clock.ts";
import type { Devices } from "./devices.ts";
import { encode } from "./frames.ts";
import type { Member, SignInLists } from "./group-sessions.ts";
import { startHeartbeat } from "./heartbeat.ts";
import { type IceOption, iceServersFor } from "./ice.ts";
import { createInbox } from "./inbox.ts";
import type { LastSeen } from "./last-seen.ts";
import type { ServerLimits } from "./limits.ts";
import type { Log } from "./log.ts";
import type { Metrics } from "./metrics.ts";
import { createOutbox } from "./outbox.ts";
import type { Presence } from "./presence.ts";
import { createProfileUpdates } from "./profile-updates.ts";
import { Refusal } from "./refusal.ts";
import type { Relay, RelayTicket } from "./relay/relay.ts";
import type { Answer } from "./requests.ts";
import { hashOf } from "./secrets.ts";
import { type AccountRequest, type Phase, type Proof, type Request, type Signal, type Step, step } from "./session.ts";
import type { ClientOrigin, SignedIn } from "./sign-in.ts";
import type { Store } from "./store/store.ts";

/** `bye`: the client has left. `reload`: it may be reloading. `lost`: the connection broke. */
type CloseKind = "bye" | "reload" | "lost";

/** Dependencies that all sockets of a server share. */
export interface ConnectionParts {
  readonly limits: ServerLimits;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly store: Store;
  readonly presence: Presence;
  readonly bans: Bans;
  readonly devices: Devices | undefined;
  readonly seen: LastSeen;
  readonly ice: readonly IceOption[];
  readonly signIn: (proof: Proof, client: ClientOrigin) => Promise<SignedIn>;
  readonly answer: (me: Requester, request: AccountRequest) => Promise<Answer>;
  /** Undefined if this server relays no links. */
  readonly relay: Relay | undefined;
}

/** One socket, from its upgrade to its close. */
export interface Connection {
  /** Asks a signed-in client to reconnect with another socket, `after` ms from now. */
  suggestReconnect(after: number): void;
  /** Closes for a restart. */
  close(): void;
}

// How long before a token of the app expires the client is asked to reconnect with a new one, in ms.
const expiryNotice = 30_000;

/** Runs the protocol on a socket. `onSettled` is called once, when the client has signed in or the socket has closed. */
export function openConnection(
  socket: WebSocket,
  client: ClientOrigin,
  parts: ConnectionParts,
  onSettled: () => void,
): Connection {
  const { limits, clock, log, presence, metrics } = parts;
  const outbox = createOutbox(socket, limits.maxUnsentBytes, clock);
  const inbox = createInbox(socket, clock, limits, handle);
  const stopWaiting = afterReading(clock, limits.firstFrameTimeout, onFirstFrameTimeout);
  const undos = [stopWaiting, inbox.stop];
  let phase: Phase = "new";
  let me: SignedIn | undefined;
  let member: Member | undefined;
  let stays = false;
  let closeKind: CloseKind | undefined;
  let renewIceAt = Number.POSITIVE_INFINITY;
  socket.on("close", onClose);
  socket.on("error", (error) => log.debug({ error: error.message }, "socket error"));

  function sendError({ code, message, after }: Refusal, id?: number): void {
    outbox.send(encode("error", { code, message, after }, id));
  }

  function closeWith(refusal: Refusal, code: number): void {
    sendError(refusal);
    outbox.close(refusal.close ?? code);
  }

  /** Returns the refusal to send for a failure. Other errors are logged and not shown to the client. */
  function refusalOf(error: unknown): Refusal {
    if (error instanceof Refusal) return error;
    log.error({ error }, "a message of a client could not be handled");
    const options = { close: closeCode.overloaded, after: 5_000 };
    return new Refusal("unreachable", "The server cannot handle this at the moment: try again soon.", options);
  }

  // ── frames ──

  function handle(bytes: Buffer, binary: boolean): Promise<void> | undefined {
    if (closeKind || outbox.closedWith !== undefined) return undefined;
    try {
      return perform(step(phase, bytes, binary, limits));
    } catch (error) {
      closeWith(refusalOf(error), closeCode.protocol);
      return undefined;
    }
  }

  function perform(next: Step): Promise<void> | undefined {
    switch (next.do) {
      case "signIn":
        return signIn(next.proof);
      case "relay":
        relay(next.relay);
        return undefined;
      case "answer":
        return answer(next.request);
      case "setProfile":
        if (member) presence.setProfile(member, storedProfile(next.profile));
        return undefined;
      case "pong":
        outbox.send(encode("pong", {}));
        return undefined;
      case "leave":
        return leave(next.back);
      case "nothing":
        return undefined;
    }
  }

  function relay({ type, data, id }: Signal): void {
    const passed = member !== undefined && presence.relay(member, type, data.to, data.signal);
    metrics.relay(passed ? "passed" : "refused");
    if (!passed && id !== undefined)
      sendError(new Refusal("unknown-peer", "There is no such peer, or it does not trust you."), id);
  }

  async function answer(request: Request): Promise<void> {
    const { type, id } = request;
    try {
      const [answerType, data] = await answerTo(request);
      metrics.request(type, "ok");
      if (id !== undefined) outbox.send(encode(answerType, data, id));
    } catch (error) {
      const refusal = refusalOf(error);
      metrics.request(type, refusal.code);
      if (id !== undefined) sendError(refusal, id);
    }
  }

  async function answerTo(request: Request): Promise<Answer> {
    if (request.type === "openRelay") return ["relayResponse", openRelay(request.data.to)];
    const { id, user, device } = me!;
    if (user === undefined)
      throw new Refusal("unsupported", "In a room there are neither accounts nor trust: sign in with an account.");
    return parts.answer({ id, user, device, address: client.address }, request);
  }

  function openRelay(to: string): RelayTicket {
    if (parts.relay) return parts.relay.open(member!, to);
    throw new Refusal(
      "unsupported",
      "This server relays no links: set its option `relay`, and in a cluster `nodeUrl`, too.",
    );
  }

  async function leave(back: boolean): Promise<void> {
    const leaver = member!;
    const ended = back ? undefined : endSession(me!).catch(refusalOf);
    // Announced at once, without waiting for a slow store.
    await presence.leave(leaver).catch(refusalOf);
    await ended;
    outbox.close(closeCode.normal);
  }

  /** Ends the session, and with its device all sessions that belong to it. */
  async function endSession({ id, user, device }: SignedIn): Promise<void> {
    if (device === undefined || user === undefined || !parts.devices) return parts.store.endSession(id);
    const peers = await parts.devices.forget(user, device);
    presence.endSessions(peers.filter((peer) => peer !== id));
  }

  // ── signing in ──

  async function signIn(proof: Proof): Promise<void> {
    stopWaiting();
    let signedIn: SignedIn | undefined;
    try {
      stays = proof.data.stay === true;
      signedIn = await parts.signIn(proof, client);
      if (closeKind) return;
      await joinPresence(signedIn, proof.data.profile);
      metrics.signIn(kindOf(proof), "ok");
    } catch (error) {
      const refusal = refusalOf(error);
      metrics.signIn(kindOf(proof), refusal.code);
      closeWith(refusal, closeCode.unauthenticated);
    } finally {
      if (signedIn?.isNew && phase === "new") endUnknownSession(signedIn);
    }
  }

  /** Ends a new session whose secret was not sent, and forgets its device if that is new, too. */
  function endUnknownSession(signedIn: SignedIn): void {
    endSession({ ...signedIn, device: signedIn.deviceSecret && signedIn.device }).catch(refusalOf);
  }

  async function joinPresence(signedIn: SignedIn, said: unknown): Promise<void> {
    const { id, app, group, user, name, session } = signedIn;
    me = signedIn;
    const { address } = client;
    const updates = said === undefined ? undefined : createProfileUpdates(outbox, clock);
    if (updates) undos.push(updates.stop);
    const profile = updates && storedProfile(said);
    member = { id, address, app, group, user, name, profile, updates, send: outbox.send, end, sendLists };
    const valid = async () => {
      parts.bans.check(address, user);
      const find = user === undefined ? parts.store.guest! : parts.store.session;
      return (await find(hashOf(session), 0)) !== undefined;
    };
    if (!(await presence.join(member, valid))) end("revoked");
    else if (closeKind) leavePresence(member, closeKind);
  }

  function leavePresence(leaver: Member, how: CloseKind): void {
    if (how === "bye") presence.leave(leaver).catch(refusalOf);
    else if (how === "reload") presence.awaitReload(leaver);
    else presence.lose(leaver);
  }

  function sendLists({ resumed, users, peers }: SignInLists): void {
    const { id, app, user, name, room, session, deviceSecret, expires } = me!;
    const username = user ?? name ?? "";
    outbox.sendFirst([
      encode("setPeerId", {
        ...{ version: 1, peerId: id, username, session, resumed, app, room },
        features: ["profiles", "stay", ...(parts.devices ? ["devices"] : []), ...(parts.relay ? ["relay"] : [])],
        device: deviceSecret,
      }),
      encode("userList", users),
      iceServersFrame(id),
      encode("peerList", peers),
    ]);
    if (closeKind) return;
    phase = "online";
    onSettled();
    const silent = () => socket.terminate();
    undos.push(startHeartbeat({ clock, limits, lastHeard: inbox.lastHeard, beat: () => sendHeartbeat(id), silent }));
    if (expires !== undefined) scheduleExpiry(expires);
  }

  function end(why: "superseded" | "revoked"): void {
    if (why === "superseded") outbox.close(closeCode.superseded);
    else closeWith(new Refusal("unauthenticated", "This session has ended: sign in again."), closeCode.unauthenticated);
  }

  // ── time ──

  function onFirstFrameTimeout(): void {
    closeWith(new Refusal("timeout", "The first frame arrived too late: connect again."), closeCode.overloaded);
  }

  function sendHeartbeat(id: string): void {
    outbox.send(encode("ping", {}));
    if (clock.now() >= renewIceAt) outbox.send(iceServersFrame(id));
  }

  function iceServersFrame(id: string): string {
    const now = clock.now();
    const ice = iceServersFor(parts.ice, id, now, limits.iceAge);
    if (ice.expires !== undefined) renewIceAt = now + limits.iceAge / 2;
    return encode("iceServers", ice);
  }

  function scheduleExpiry(at: number): void {
    const left = Math.max(0, at - clock.now());
    const notice = Math.min(left, expiryNotice);
    undos.push(clock.after(left - notice, () => suggestReconnect(notice / 2)));
    undos.push(clock.after(left, () => end("revoked")));
  }

  function suggestReconnect(after: number): void {
    if (phase === "online") outbox.send(encode("reconnect", { after: Math.round(after) }));
  }

  function onClose(code: number): void {
    const isOrderly = code === closeCode.normal || code === closeCode.goingAway;
    closeKind = isOrderly ? (stays ? "reload" : "bye") : "lost";
    for (const stop of undos) stop();
    if (phase === "new") onSettled();
    if (me) parts.seen.touch(me.id);
    if (member) leavePresence(member, closeKind);
    const why = outbox.closedWith ?? code;
    metrics.closed(why);
    log.debug({ peer: me?.id, code: why }, "socket closed");
  }

  return { suggestReconnect, close: () => outbox.close(closeCode.restart) };
}

/** The JSON of a profile; undefined for an empty one. */
function storedProfile(profile: unknown): string | undefined {
  const text = encodeProfile(profile);
  return text === "{}" ? undefined : text;
}

function kindOf({ type, data }: Proof): Parameters<Metrics["signIn"]>[0] {
  if (type === "acceptInvite") return "invitation";
  if ("token" in data) return "token";
  if ("room" in data) return "room";
  if ("device" in data) return "device";
  return "password" in data ? "password" : "session";
}
