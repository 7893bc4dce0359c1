import type { WebSocket } from "ws";
import type { Changer } from "./accounts.ts";
import type { Lists, Member } from "./circles.ts";
import type { Clock } from "./clock.ts";
import { encode } from "./frames.ts";
import { type IceOption, iceServersFor } from "./ice.ts";
import type { ServerLimits } from "./limits.ts";
import type { Log } from "./log.ts";
import type { Metrics } from "./metrics.ts";
import { createPace } from "./pace.ts";
import type { Presence } from "./presence.ts";
import { closeCode, Refusal } from "./refusal.ts";
import type { Answer } from "./requests.ts";
import type { Seen } from "./seen.ts";
import { type Phase, type Request, type Step, step } from "./session.ts";
import type { SignedIn } from "./sign-in.ts";
import type { Store } from "./store/store.ts";

/** What every socket of a server shares. */
export interface ConnectionParts {
  readonly limits: ServerLimits;
  readonly clock: Clock;
  readonly log: Log;
  readonly store: Store;
  readonly presence: Presence;
  readonly seen: Seen;
  readonly ice: readonly IceOption[];
  readonly signIn: (proof: Extract<Step, { do: "signIn" }>["proof"], address: string) => Promise<SignedIn>;
  readonly metrics: Metrics;
  readonly answer: (me: Changer, request: Request) => Promise<Answer>;
}

/** One socket, from its upgrade to its end. */
export interface Connection {
  readonly online: boolean;
  /** Asks the client to come back on another socket, `after` ms from now. */
  hint(after: number): void;
  /** Closes for a restart. */
  close(): void;
}

type Frame = readonly [bytes: Buffer, binary: boolean];

// From our close frame to its answer, in ms. A client that does not read does not answer either.
const patience = 800;
// Before an app's token ends, clients get this long to come back with a new one.
const tokenNotice = 30_000;

const knownCodes: ReadonlySet<number> = new Set([...Object.values(closeCode), 1005, 1006]);

/** Speaks the protocol on a socket. `settled` is called once, when it has signed in or has closed without. */
export function openConnection(
  socket: WebSocket,
  address: string,
  parts: ConnectionParts,
  settled: () => void,
): Connection {
  const { limits, clock, log, presence, metrics } = parts;
  const opened = clock.now();
  const pace = createPace(limits.frameRate, limits.frameBurst, opened);
  const inbox: Frame[] = [];
  const timers: Record<string, () => void> = {};
  let phase: Phase = "new";
  let me: (SignedIn & Changer) | undefined;
  let member: Member | undefined;
  let working = false;
  let over = false;
  // Why we have closed it, if we have.
  let reason: number | undefined;
  let gone = false;
  let lastHeard = opened;
  let nextPing = 0;
  let renewIceAt = Number.POSITIVE_INFINITY;
  // Bytes of the first lists, as long as they are on their way.
  let lists = 0;

  // ── out ──

  function send(frame: string): void {
    if (socket.bufferedAmount === 0) lists = 0;
    deliver(frame);
    if (!over && socket.bufferedAmount > limits.unsent + lists) finish(closeCode.overloaded);
  }

  function deliver(frame: string): void {
    if (!over && socket.readyState === socket.OPEN) socket.send(frame);
  }

  function finish(code: number, refusal?: Refusal): void {
    if (refusal) sendError(refusal);
    over = true;
    reason = code;
    socket.close(code);
    timers["patience"] = clock.after(patience, () => socket.terminate());
  }

  function sendError({ code, message, after }: Refusal, id?: number): void {
    send(encode("error", { code, message, after }, id));
  }

  /** What a client is told of any failure. Only a refusal's words are meant for it. */
  function refusalOf(error: unknown): Refusal {
    if (error instanceof Refusal) return error;
    log.error({ error }, "a frame could not be handled");
    const options = { close: closeCode.overloaded, after: 5_000 };
    return new Refusal("unreachable", "The server cannot do this at the moment: try again soon.", options);
  }

  // ── in ──

  function heard(bytes: Buffer, binary: boolean): void {
    lastHeard = clock.now();
    if (over) return;
    if (!working) {
      work([bytes, binary]);
      return;
    }
    // One frame at a time: what follows waits in the network, and not here.
    inbox.push([bytes, binary]);
    socket.pause();
  }

  async function work(first: Frame): Promise<void> {
    working = true;
    for (let frame: Frame | undefined = first; frame && !over; frame = inbox.shift()) {
      const wait = pace.take(clock.now());
      if (wait > 0) {
        socket.pause();
        await new Promise<void>((resolve) => clock.after(wait, resolve));
      }
      const pending = handle(frame);
      if (pending) await pending;
    }
    working = false;
    lastHeard = clock.now();
    socket.resume();
  }

  function handle([bytes, binary]: Frame): Promise<void> | undefined {
    try {
      return act(step(phase, bytes, binary, limits));
    } catch (error) {
      const refusal = refusalOf(error);
      finish(refusal.close ?? closeCode.protocol, refusal);
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
        send(encode("pong", {}));
        return undefined;
      case "leave":
        return leave(next.back);
      case "nothing":
        return undefined;
    }
  }

  function relay({ type, data, id }: Extract<Step, { do: "relay" }>["relay"]): void {
    const passed = member && presence.relay(member, type, data.to, data.signal);
    metrics.relay(passed ? "passed" : "refused");
    if (!passed && id !== undefined)
      sendError(new Refusal("unknown-peer", "There is no such peer that you may talk to."), id);
  }

  async function answer(request: Request): Promise<void> {
    try {
      const [type, data] = await parts.answer(me!, request);
      metrics.request(request.type, "ok");
      if (request.id !== undefined) send(encode(type, data, request.id));
    } catch (error) {
      const refusal = refusalOf(error);
      metrics.request(request.type, refusal.code);
      if (request.id !== undefined) sendError(refusal, request.id);
    }
  }

  async function leave(back: boolean): Promise<void> {
    over = true;
    if (!back) await parts.store.endSession(me!.id).catch(refusalOf);
    await presence.leave(member!).catch(refusalOf);
    socket.close(closeCode.bye);
  }

  // ── signing in ──

  async function signIn(proof: Extract<Step, { do: "signIn" }>["proof"]): Promise<void> {
    timers["first"]?.();
    try {
      const signedIn = await parts.signIn(proof, address);
      if (gone) return;
      await enter(signedIn);
      metrics.signIn(kindOf(proof), "ok");
    } catch (error) {
      const refusal = refusalOf(error);
      metrics.signIn(kindOf(proof), refusal.code);
      finish(refusal.close ?? closeCode.unauthenticated, refusal);
    }
  }

  async function enter(signedIn: SignedIn): Promise<void> {
    const { user, id } = signedIn;
    if (presence.others(user, id) >= limits.socketsPerAccount)
      throw new Refusal("rate-limited", "This account is signed in too many times.", { close: closeCode.overloaded });
    me = { ...signedIn, address };
    member = { id, user, tell: send, end, welcome };
    const valid = async () => (await parts.store.sessionsOf([id])).has(id);
    if (!(await presence.enter(member, valid))) end("revoked");
    else if (gone) presence.lose(member);
  }

  function welcome({ resumed, users, peers }: Lists): void {
    const { id, user, session, expires } = me!;
    const first = [
      encode("setPeerId", { version: 1, peerId: id, username: user, session, resumed }),
      encode("userList", users),
      iceServers(),
      encode("peerList", peers),
    ];
    for (const frame of first) deliver(frame);
    lists = socket.bufferedAmount;
    phase = "online";
    settled();
    if (gone) return;
    nextPing = clock.now() + limits.pingEvery;
    pulse();
    if (expires !== undefined) expire(expires);
  }

  function end(why: "taken" | "revoked"): void {
    if (why === "taken") finish(closeCode.takenOver);
    else finish(closeCode.unauthenticated, new Refusal("unauthenticated", "This session has ended: sign in again."));
  }

  // ── time ──

  function pulse(): void {
    const now = clock.now();
    // While we do not read, silence means nothing.
    if (working) lastHeard = now;
    if (now - lastHeard >= limits.silence) {
      socket.terminate();
      return;
    }
    if (now >= nextPing) {
      send(encode("ping", {}));
      if (now >= renewIceAt) send(iceServers());
      nextPing = now + limits.pingEvery;
    }
    timers["pulse"] = clock.after(Math.min(nextPing, lastHeard + limits.silence) - now, pulse);
  }

  function iceServers(): string {
    const now = clock.now();
    const ice = iceServersFor(parts.ice, me!.id, now, limits.iceAge);
    if (ice.expires !== undefined) renewIceAt = now + limits.iceAge / 2;
    return encode("iceServers", ice);
  }

  function expire(at: number): void {
    const left = Math.max(0, at - clock.now());
    timers["notice"] = clock.after(Math.max(0, left - tokenNotice), () => hint(Math.min(left, tokenNotice) / 2));
    timers["expiry"] = clock.after(left, () => end("revoked"));
  }

  function hint(after: number): void {
    if (phase === "online") send(encode("reconnect", { after: Math.round(after) }));
  }

  // ── its end ──

  function closed(code: number): void {
    gone = true;
    over = true;
    for (const stop of Object.values(timers)) stop();
    if (phase === "new") settled();
    if (me) parts.seen.left(me.id);
    const goodbye = code === closeCode.bye || code === closeCode.goingAway;
    if (member && goodbye) presence.leave(member).catch(refusalOf);
    else if (member) presence.lose(member);
    const why = reason ?? code;
    metrics.closed(knownCodes.has(why) ? why : "other");
    log.debug({ peer: me?.id, code: why }, "a socket has closed");
  }

  timers["first"] = clock.after(limits.firstFrameTimeout, () =>
    finish(closeCode.overloaded, new Refusal("timeout", "The first frame came too late.", { after: 0 })),
  );
  socket.on("message", heard);
  socket.on("close", closed);
  socket.on("error", (error) => log.debug({ error: error.message }, "a socket failed"));

  return {
    get online() {
      return phase === "online" && !over;
    },
    hint,
    close: () => finish(closeCode.restart),
  };
}

function kindOf({ type, data }: Extract<Step, { do: "signIn" }>["proof"]): Parameters<Metrics["signIn"]>[0] {
  if (type === "acceptInvite") return "invitation";
  if ("token" in data) return "token";
  return "password" in data ? "password" : "session";
}
