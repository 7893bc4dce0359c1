import type { WebSocket } from "ws";
import { closeCode } from "../core/protocol/close-code.ts";
import type { Changer } from "./accounts.ts";
import type { Clock } from "./clock.ts";
import { encode } from "./frames.ts";
import { startHeartbeat } from "./heartbeat.ts";
import { type IceOption, iceServersFor } from "./ice.ts";
import { createInbox } from "./inbox.ts";
import type { LastSeen } from "./last-seen.ts";
import type { ServerLimits } from "./limits.ts";
import type { Log } from "./log.ts";
import type { Metrics } from "./metrics.ts";
import { createOutbox } from "./outbox.ts";
import type { Presence } from "./presence.ts";
import { Refusal } from "./refusal.ts";
import type { Answer } from "./requests.ts";
import { hashOf } from "./secrets.ts";
import { type Phase, type Proof, type Relay, type Request, type Step, step } from "./session.ts";
import type { SignedIn } from "./sign-in.ts";
import type { Store } from "./store/store.ts";
import type { Member, SignInLists } from "./user-sessions.ts";

/** What every socket of a server shares. */
export interface ConnectionParts {
  readonly limits: ServerLimits;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly store: Store;
  readonly presence: Presence;
  readonly seen: LastSeen;
  readonly ice: readonly IceOption[];
  readonly signIn: (proof: Proof, address: string) => Promise<SignedIn>;
  readonly answer: (me: Changer, request: Request) => Promise<Answer>;
}

/** One socket, from its upgrade to its end. */
export interface Connection {
  /** Asks a client that is signed in to come back on another socket, `after` ms from now. */
  hint(after: number): void;
  /** Closes for a restart. */
  close(): void;
}

// Before an app's token ends, clients get this long to come back with a new one, in ms.
const tokenNotice = 30_000;

/** Speaks the protocol on a socket. `settled` is called once, when it has signed in or has closed without. */
export function openConnection(
  socket: WebSocket,
  address: string,
  parts: ConnectionParts,
  settled: () => void,
): Connection {
  const { limits, clock, log, presence, metrics } = parts;
  const outbox = createOutbox(socket, limits.maxUnsentBytes, clock);
  const inbox = createInbox(socket, clock, limits, handle);
  const stopWaiting = clock.after(limits.firstFrameTimeout, late);
  const stops = [stopWaiting, outbox.stop, inbox.stop];
  let phase: Phase = "new";
  let me: (SignedIn & Changer) | undefined;
  let member: Member | undefined;
  let gone: "goodbye" | "lost" | undefined;
  let renewIceAt = Number.POSITIVE_INFINITY;
  socket.on("close", closed);
  socket.on("error", (error) => log.debug({ error: error.message }, "a socket failed"));

  function sendError({ code, message, after }: Refusal, id?: number): void {
    outbox.send(encode("error", { code, message, after }, id));
  }

  function finish(refusal: Refusal, code: number): void {
    sendError(refusal);
    outbox.close(refusal.close ?? code);
  }

  /** What a client is told of any failure. Only a refusal's words are meant for it. */
  function refusalOf(error: unknown): Refusal {
    if (error instanceof Refusal) return error;
    log.error({ error }, "a frame could not be handled");
    const options = { close: closeCode.overloaded, after: 5_000 };
    return new Refusal("unreachable", "The server cannot do this at the moment: try again soon.", options);
  }

  // ── frames ──

  function handle(bytes: Buffer, binary: boolean): Promise<void> | undefined {
    if (gone || outbox.closedWith !== undefined) return undefined;
    try {
      return act(step(phase, bytes, binary, limits));
    } catch (error) {
      finish(refusalOf(error), closeCode.protocol);
      return undefined;
    }
  }

  function act(next: Step): Promise<void> | undefined {
    switch (next.do) {
      case "signIn":
        return signIn(next.proof);
      case "relay":
        relay(next.relay);
        return undefined;
      case "answer":
        return answer(next.request);
      case "pong":
        outbox.send(encode("pong", {}));
        return undefined;
      case "leave":
        return leave(next.back);
      case "nothing":
        return undefined;
    }
  }

  function relay({ type, data, id }: Relay): void {
    const passed = member !== undefined && presence.relay(member, type, data.to, data.signal);
    metrics.relay(passed ? "passed" : "refused");
    if (!passed && id !== undefined)
      sendError(new Refusal("unknown-peer", "There is no such peer that you may talk to."), id);
  }

  async function answer(request: Request): Promise<void> {
    const { type, id } = request;
    try {
      const [answerType, data] = await parts.answer(me!, request);
      metrics.request(type, "ok");
      if (id !== undefined) outbox.send(encode(answerType, data, id));
    } catch (error) {
      const refusal = refusalOf(error);
      metrics.request(type, refusal.code);
      if (id !== undefined) sendError(refusal, id);
    }
  }

  async function leave(back: boolean): Promise<void> {
    const [leaver, { id }] = [member!, me!];
    const ended = back ? undefined : parts.store.endSession(id).catch(refusalOf);
    // At once: the others need not wait for a store that is slow.
    await presence.leave(leaver).catch(refusalOf);
    await ended;
    outbox.close(closeCode.normal);
  }

  // ── signing in ──

  async function signIn(proof: Proof): Promise<void> {
    stopWaiting();
    try {
      const signedIn = await parts.signIn(proof, address);
      if (gone) return;
      await enter(signedIn);
      metrics.signIn(kindOf(proof), "ok");
    } catch (error) {
      const refusal = refusalOf(error);
      metrics.signIn(kindOf(proof), refusal.code);
      finish(refusal, closeCode.unauthenticated);
    }
  }

  async function enter(signedIn: SignedIn): Promise<void> {
    const { user, id, session } = signedIn;
    me = { ...signedIn, address };
    member = { id, user, send: outbox.send, end, sendLists };
    const valid = async () => (await parts.store.session(hashOf(session), 0)) !== undefined;
    if (!(await presence.enter(member, valid))) end("revoked");
    else if (gone) depart(member, gone);
  }

  function depart(leaver: Member, how: "goodbye" | "lost"): void {
    if (how === "goodbye") presence.leave(leaver).catch(refusalOf);
    else presence.lose(leaver);
  }

  function sendLists({ resumed, users, peers }: SignInLists): void {
    const { id, user, session, expires } = me!;
    outbox.sendFirst([
      encode("setPeerId", { version: 1, peerId: id, username: user, session, resumed }),
      encode("userList", users),
      iceServers(id),
      encode("peerList", peers),
    ]);
    if (gone) return;
    phase = "online";
    settled();
    const silent = () => socket.terminate();
    stops.push(startHeartbeat({ clock, limits, lastHeard: inbox.lastHeard, beat: () => beat(id), silent }));
    if (expires !== undefined) expire(expires);
  }

  function end(why: "taken" | "revoked"): void {
    if (why === "taken") outbox.close(closeCode.superseded);
    else finish(new Refusal("unauthenticated", "This session has ended: sign in again."), closeCode.unauthenticated);
  }

  // ── time ──

  function late(): void {
    finish(new Refusal("timeout", "The first frame came too late."), closeCode.overloaded);
  }

  function beat(id: string): void {
    outbox.send(encode("ping", {}));
    if (clock.now() >= renewIceAt) outbox.send(iceServers(id));
  }

  function iceServers(id: string): string {
    const now = clock.now();
    const ice = iceServersFor(parts.ice, id, now, limits.iceAge);
    if (ice.expires !== undefined) renewIceAt = now + limits.iceAge / 2;
    return encode("iceServers", ice);
  }

  function expire(at: number): void {
    const left = Math.max(0, at - clock.now());
    const notice = Math.min(left, tokenNotice);
    stops.push(clock.after(left - notice, () => hint(notice / 2)));
    stops.push(clock.after(left, () => end("revoked")));
  }

  function hint(after: number): void {
    if (phase === "online") outbox.send(encode("reconnect", { after: Math.round(after) }));
  }

  function closed(code: number): void {
    gone = code === closeCode.normal || code === closeCode.goingAway ? "goodbye" : "lost";
    for (const stop of stops) stop();
    if (phase === "new") settled();
    if (me) parts.seen.left(me.id);
    if (member) depart(member, gone);
    const why = outbox.closedWith ?? code;
    metrics.closed(why);
    log.debug({ peer: me?.id, code: why }, "a socket has closed");
  }

  return { hint, close: () => outbox.close(closeCode.restart) };
}

function kindOf({ type, data }: Proof): Parameters<Metrics["signIn"]>[0] {
  if (type === "acceptInvite") return "invitation";
  if ("token" in data) return "token";
  return "password" in data ? "password" : "session";
}
