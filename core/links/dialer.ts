import * as v from "valibot";
import type { Clock } from "../clock.ts";
import type { BonevalueError, ErrorCode } from "../errors.ts";
import type { SignalKind } from "../protocol/messages.ts";
import { createRateLimiter, type RateLimiter } from "../rate-limiter.ts";
import type { Link, Transport } from "../transport/transport.ts";
import { closedWith, noPath, outOfTime, refused, unreachable } from "./dial-errors.ts";
import {
  type Action,
  createDialState,
  type DialState,
  dial,
  endCurrent,
  kindOf,
  onOpen,
  onSignal,
  type Role,
  type Step,
} from "./dial-state.ts";
import { openLink } from "./open-link.ts";
import { createPendingDial, dialTimeout, type PendingDial } from "./pending-dial.ts";
import { createSignaling, type Signal, type Signaling, signal as signalSchema } from "./signaling.ts";

// How many a peer may begin in a second that come to nothing: each costs us a connection.
const attemptsPerSecond = 10;

/** What {@link createDialer} needs, and whom it tells. */
export interface DialerOptions {
  readonly transport: Transport;
  readonly clock: Clock;
  /** Our own id at this moment. */
  self(): string;
  /** Passes a signal on through discovery; may lose it. */
  send(kind: SignalKind, to: string, signal: Signal): void;
  /** Says a signal over the open link that it is about; `false` where it cannot. */
  sendOnLink(to: string, signal: Signal): boolean;
  /** The servers that the discovery server names at this moment. */
  iceServers(): readonly RTCIceServer[];
  /**
   * Asked when a peer that we are not dialing ourselves signals to us: the code to refuse it with, if any, of which
   * `unknown-peer` says that nothing of it is to be kept. `accepted`: how many links we have that others dialed.
   */
  admit(peer: string, accepted: number): ErrorCode | undefined;
  /** A link is open, ours or the peer's. Its `closed` tells its end. */
  opened(peer: string, link: Link, role: Role): void;
  /** What `dial` asked for has failed. Told once for each dial that was not joined to an earlier one. */
  failed(peer: string, error: BonevalueError): void;
}

/** Makes links by dialing and by answering, one for each peer at most. */
export interface Dialer {
  /** Asks for a link; joins an attempt that is being made, either way. `opened` or `failed` follows within 15 s. */
  dial(peer: string): void;
  /** A relayed signal has arrived. What is malformed is ignored. */
  receive(kind: SignalKind, from: string, signal: unknown): void;
  /** A signal has arrived over the open link. What is malformed, or not about that link, is ignored. */
  receiveOnLink(from: string, signal: unknown): void;
  /** The discovery server cannot reach this peer: a dial ends with `unknown-peer`, an open link stays. */
  onUnreachable(peer: string): void;
  /** Whether nothing arrives on the open link at present. */
  setSilent(peer: string, silent: boolean): void;
  /**
   * The discovery server is back, or we have slept: says at once what may have been lost, and asks the other sides of
   * open links whether they still have them. Who has not says so, which ends the link.
   */
  resendAll(): void;
  /** Ends the peer's attempt with `cancelled`, and keeps no trace. An open link is for whoever was told of it to close. */
  forget(peer: string): void;
  /** Forgets everybody. */
  stop(): void;
}

interface Connection {
  readonly role: Role;
  readonly link: Link;
  readonly signals: Signaling;
  readonly undoDeadline: () => void;
  open: boolean;
  /** It is open, and nothing arrives on it. */
  silent: boolean;
}

/** One peer. `pendingDial` is there from `dial` until it has been answered. */
interface Entry {
  readonly peer: string;
  mayBegin: RateLimiter;
  dialing: DialState;
  connection?: Connection | undefined;
  pendingDial?: PendingDial | undefined;
}

/** A dialer without links. Opens nothing before `dial` or `receive`; the caller ends it with `stop`. */
export function createDialer(options: DialerOptions): Dialer {
  const { transport, clock } = options;
  const entries = new Map<string, Entry>();
  let attempts = 0;

  const budget = () => createRateLimiter(clock, attemptsPerSecond, 1_000);

  function entryOf(peer: string): Entry {
    const entry = entries.get(peer) ?? { peer, mayBegin: budget(), dialing: createDialState(options.self(), peer) };
    entries.set(peer, entry);
    return entry;
  }

  function take(entry: Entry, step: Step, signal?: Signal): void {
    entry.dialing = step.state;
    for (const action of step.actions) perform(entry, action, signal);
  }

  function perform(entry: Entry, action: Action, signal?: Signal): void {
    const { peer } = entry;
    if (action.do === "connect") connect(entry, action.role, action.attempt, signal);
    else if (action.do === "hear") entry.connection?.signals.receive(signal!);
    else if (action.do === "end")
      options.send(action.kind, peer, { attempt: action.attempt, round: 0, end: action.code });
    else if (action.do === "leave") endedByPeer(entry, action.code);
    else detach(entry)?.link.close(closedWith(peer, "disconnected"));
  }

  function connect(entry: Entry, role: Role, attempt: number, signal?: Signal): void {
    const { peer } = entry;
    const refusal = role === "callee" && !entry.pendingDial ? options.admit(peer, accepted()) : undefined;
    if (refusal) {
      take(entry, endCurrent(entry.dialing, refusal));
      entries.delete(peer);
      return;
    }
    const signals = createSignaling({
      role,
      attempt,
      clock,
      send: (said) => say(entry, role, said),
      iceServers: options.iceServers,
    });
    if (signal) signals.receive(signal);
    const link = openLink(transport, peer, role, signals.exchange);
    // A caller's attempt ends with the pendingDial that it is for.
    const undoDeadline = role === "callee" ? clock.after(dialTimeout, () => giveUp(entry)) : () => {};
    const connection: Connection = { role, link, signals, undoDeadline, open: false, silent: false };
    entry.connection = connection;
    link.opened.then(
      () => opens(entry, connection),
      () => {},
    );
    link.closed.then((reason) => closes(entry, connection, reason));
  }

  function say({ peer, connection }: Entry, role: Role, said: Signal): void {
    const carried = connection?.open && options.sendOnLink(peer, said);
    // Where a path is to be replaced nobody knows whether the link still carries anything, or whether the server is there.
    if (!carried || said.round > 0) options.send(kindOf(role), peer, said);
  }

  function accepted(): number {
    return [...entries.values()].filter(({ connection }) => connection?.role === "callee").length;
  }

  function opens(entry: Entry, connection: Connection): void {
    if (entry.connection !== connection) return;
    connection.open = true;
    entry.mayBegin = budget();
    connection.undoDeadline();
    endPendingDial(entry);
    take(entry, onOpen(entry.dialing));
    options.opened(entry.peer, connection.link, connection.role);
  }

  function closes(entry: Entry, connection: Connection, reason: BonevalueError | undefined): void {
    if (entry.connection !== connection) return;
    detach(entry);
    const error = reason ?? closedWith(entry.peer, "cancelled");
    take(entry, endCurrent(entry.dialing, error.code, connection.silent));
    goOn(entry, connection, error);
  }

  function endedByPeer(entry: Entry, code: string): void {
    const connection = detach(entry);
    if (!connection) return;
    const error = connection.open ? closedWith(entry.peer, "disconnected") : whyRefused(entry.peer, connection, code);
    connection.link.close(error);
    goOn(entry, connection, error);
  }

  /** Both sides wait equally long: whose time is up first, the reason is what we know of the path. */
  function whyRefused(peer: string, { link }: Connection, code: string): BonevalueError {
    return code === "timeout" ? noPath(peer, dialTimeout, link.trouble?.()) : refused(peer, code);
  }

  function goOn(entry: Entry, { open, role }: Connection, error: BonevalueError): void {
    // A pendingDial beside an open link was made after it had closed, and before we heard of that.
    if (open) start(entry);
    // Only the attempt is over, not what we pendingDial: it was the peer's own, one that it no longer knew, or one that broke.
    // Some platforms lose a handshake now and then, which says nothing about the next.
    else if (role === "callee" || error.code === "disconnected") entry.pendingDial?.retry(error);
    else fail(entry, error);
  }

  function giveUp(entry: Entry): void {
    end(entry, noPath(entry.peer, dialTimeout, entry.connection?.link.trouble?.()), "timeout");
    entry.pendingDial?.retry();
  }

  function expire(entry: Entry): void {
    const { peer, connection, pendingDial } = entry;
    const { answered } = connection?.signals ?? {};
    const trouble = connection?.link.trouble?.();
    const error = outOfTime(peer, dialTimeout, { answered, trouble, broken: pendingDial?.lastError });
    if (connection?.role === "caller" && !connection.open) end(entry, error, "timeout");
    if (connection?.open) endPendingDial(entry);
    else fail(entry, error);
  }

  function start(entry: Entry): void {
    if (entry.pendingDial && !entry.dialing.current) take(entry, dial(entry.dialing, ++attempts));
  }

  function fail(entry: Entry, error: BonevalueError): void {
    if (!entry.pendingDial) return;
    endPendingDial(entry);
    options.failed(entry.peer, error);
  }

  function endPendingDial(entry: Entry): void {
    entry.pendingDial?.end();
    entry.pendingDial = undefined;
  }

  /** Gives the connection up: tells the peer and closes the link, unless it is open. */
  function end(entry: Entry, error: BonevalueError, code: ErrorCode = error.code): void {
    const connection = detach(entry);
    take(entry, endCurrent(entry.dialing, code, connection?.silent));
    // Who was given an open one says goodbye before it closes it.
    if (!connection?.open) connection?.link.close(error);
  }

  function forget(peer: string): void {
    const entry = entries.get(peer);
    if (!entry) return;
    endPendingDial(entry);
    end(entry, closedWith(peer, "cancelled"));
    entries.delete(peer);
  }

  return {
    dial(peer) {
      const entry = entryOf(peer);
      entry.pendingDial ??= createPendingDial(clock, { dial: () => start(entry), expired: () => expire(entry) });
      start(entry);
    },
    receive(kind, from, raw) {
      const parsed = v.safeParse(signalSchema, raw);
      if (!parsed.success || from === options.self()) return;
      const entry = entryOf(from);
      const step = onSignal(entry.dialing, kind, parsed.output);
      // What is ignored will be said again.
      if (step.actions.some((action) => action.do === "connect") && !entry.mayBegin()) return;
      take(entry, step, parsed.output);
      // A server can invent senders without end.
      if (!entry.connection && !entry.pendingDial && options.admit(from, 0) === "unknown-peer") entries.delete(from);
    },
    receiveOnLink(from, raw) {
      const { connection, dialing } = entryOf(from);
      const parsed = v.safeParse(signalSchema, raw);
      if (!parsed.success || !connection?.open || parsed.output.attempt !== dialing.current?.attempt) return;
      connection.signals.receive(parsed.output);
    },
    onUnreachable(peer) {
      const entry = entries.get(peer);
      if (!entry || entry.connection?.open) return;
      const error = unreachable(peer);
      detach(entry)?.link.close(error);
      entry.dialing = endCurrent(entry.dialing, error.code).state;
      fail(entry, error);
    },
    setSilent(peer, silent) {
      const connection = entries.get(peer)?.connection;
      if (connection) connection.silent = silent;
    },
    resendAll() {
      for (const { peer, connection, dialing } of entries.values()) {
        connection?.signals.resend();
        const { current } = dialing;
        if (current?.open) options.send(kindOf(current.role), peer, { attempt: current.attempt, round: 0 });
      }
    },
    forget,
    stop() {
      for (const peer of [...entries.keys()]) forget(peer);
    },
  };
}

/** Takes the connection away from its entry and silences it; the link itself is the caller's to close. */
function detach(entry: Entry): Connection | undefined {
  const { connection } = entry;
  entry.connection = undefined;
  connection?.undoDeadline();
  connection?.signals.stop();
  return connection;
}
