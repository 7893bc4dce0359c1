import type { Clock } from "../clock.ts";
import type { BonevalueError, ErrorCode } from "../errors.ts";
import type { LazyPart } from "../lazy-part.ts";
import type { SignalKind } from "../protocol/messages.ts";
import { createRateLimiter, type RateLimiter } from "../rate-limiter.ts";
import type { OpenRelay } from "../relay-access.ts";
import type { Link, Transport } from "../transport/transport.ts";
import { type Attempt, createAttempt } from "./attempt.ts";
import { closedWith, dialTimeoutMs, noPath, refused, timedOut, unreachable } from "./dial-errors.ts";
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
  type Transition,
} from "./dial-state.ts";
import { readSignal, type Signal } from "./signaling.ts";

// Makes links. What should happen is decided by dial-state.ts, which is pure; this file performs it.
//
// Per peer there is at most one attempt, of either side (attempt.ts), and at most one pending dial: from our first `dial`
// until a link opens or 15 s have passed. One attempt may follow another during a dial: if an attempt breaks or yields to the
// peer's, the dial goes on with the next one. Only if the peer refuses our attempt, the dial fails at once.

// How many attempts of one peer in a second may fail to open a link: each costs us a connection.
const attemptsPerSecond = 10;

const redialAfterMs = 100;
// Less than `dialTimeoutMs`, so that the caller reads `busy` before it gives up.
const admissionTimeoutMs = 10_000;

/** Callbacks run after the dialer's own state has changed. */
export interface DialerOptions {
  readonly transport: Transport;
  readonly clock: Clock;
  /** The number of our first attempt. Later pages with the same id have to start higher. */
  readonly firstAttempt: number;
  /** The lazily loaded code of open links. It is loaded during the dial. */
  readonly connectionPart: LazyPart;
  /** Our own id at this moment. */
  self(): string;
  /** Passes a signal on through discovery; may lose it. */
  send(kind: SignalKind, to: string, signal: Signal): void;
  /** Sends a signal over the open link that it is about, or returns `false`. */
  sendOnLink(to: string, signal: Signal): boolean;
  /** The servers that the discovery server names at this moment. */
  iceServers(): readonly RTCIceServer[];
  /** Undefined if discovery offers no relay at this moment. */
  openRelay(): OpenRelay | undefined;
  /** Whether we may talk to this peer. The dialer keeps nothing about other peers. */
  isKnown(peer: string): boolean;
  /** The peer dials us. Call `accept` or `refuse`, now or later. */
  onIncoming(peer: string): void;
  /** A link is open, dialed by us (`caller`) or by the peer. Its `closed` resolves when it ends. */
  onOpen(peer: string, link: Link, role: Role): void;
  /** A dial has failed. Runs once for all calls of `dial` that joined it. */
  onFailed(peer: string, error: BonevalueError): void;
  /** No link, no attempt and no dial of this peer is left. Does not run for `forget`. */
  onFree(peer: string): void;
}

/** Makes links by dialing and by answering, at most one for each peer. */
export interface Dialer {
  /** Asks a peer without an open link for one; joins an attempt of either side. `onOpen` or `onFailed` follows within 15 s. */
  dial(peer: string): void;
  /** Answers the attempt that `onIncoming` announced. */
  accept(peer: string): void;
  /** Ends that attempt with a code. */
  refuse(peer: string, code: ErrorCode): void;
  /** Reads a relayed signal; ignores a malformed one. */
  receive(kind: SignalKind, from: string, signal: unknown): void;
  /** Reads a signal that came over the open link; ignores one that is malformed or about another attempt. */
  receiveOnLink(from: string, signal: unknown): void;
  /** The discovery server cannot reach this peer: a dial ends with `unknown-peer`, an open link stays. */
  onUnreachable(peer: string): void;
  /** Sets whether nothing arrives on the open link at present. */
  setSilent(peer: string, silent: boolean): void;
  /**
   * The discovery server is back, or the page was suspended: repeats at once what may have been lost, and asks the
   * peers of open links whether they still have them. A peer that does not have its link answers so, which ends it.
   */
  resendAll(): void;
  /** Ends the peer's attempt with `cancelled` and keeps nothing. The holder of its open link closes it. */
  forget(peer: string): void;
  /** Removes the state of every peer. */
  stop(): void;
}

/** From the first `dial` until a link opens or the time is up: one attempt may follow another. */
interface PendingDial {
  readonly undoDeadline: () => void;
  undoRedial: () => void;
  /** Why the last attempt ended. */
  lastError?: BonevalueError | undefined;
}

interface Entry {
  readonly peer: string;
  mayConnect: RateLimiter;
  dialState: DialState;
  attempt?: Attempt | undefined;
  pendingDial?: PendingDial | undefined;
}

/** Creates a dialer without links. It opens nothing before `dial` or `receive`; the caller ends it with `stop`. */
export function createDialer(options: DialerOptions): Dialer {
  const { clock, isKnown } = options;
  const entries = new Map<string, Entry>();
  let nextAttempt = options.firstAttempt;

  const createConnectLimit = () => createRateLimiter(clock, attemptsPerSecond, 1_000);

  function entryOf(peer: string): Entry {
    const entry = entries.get(peer) ?? {
      peer,
      mayConnect: createConnectLimit(),
      dialState: createDialState(options.self(), peer),
    };
    entries.set(peer, entry);
    return entry;
  }

  function apply(entry: Entry, { state, actions }: Transition, signal?: Signal): void {
    entry.dialState = state;
    for (const action of actions) perform(entry, action, signal);
  }

  function perform(entry: Entry, action: Action, signal?: Signal): void {
    const { peer } = entry;
    if (action.do === "connect") connect(entry, action.role, action.attempt, signal);
    else if (action.do === "receive") entry.attempt?.receive(signal!);
    else if (action.do === "sendEnd")
      options.send(action.kind, peer, { attempt: action.attempt, round: 0, end: action.code });
    else if (action.do === "end") onEndedByPeer(entry, action.code);
    else detach(entry)?.closeLink(closedWith(peer, "disconnected"));
  }

  function connect(entry: Entry, role: Role, number: number, signal?: Signal): void {
    const { peer } = entry;
    const attempt = createAttempt({
      ...options,
      peer,
      role,
      number,
      send: (sent) => send(entry, role, sent),
      opened: (link) => onOpened(entry, attempt, link),
      closed: (reason) => onClosed(entry, attempt, reason),
    });
    if (signal) attempt.receive(signal);
    entry.attempt = attempt;
    // A caller's attempt ends with the dial that it is for.
    if (role === "caller") attempt.open();
    else if (isKnown(peer)) {
      attempt.setDeadline(admissionTimeoutMs, () => refuse(peer, "busy"));
      options.onIncoming(peer);
    } else refuse(peer, "unknown-peer");
  }

  function accept(peer: string): void {
    const entry = entries.get(peer);
    const { attempt } = entry ?? {};
    if (!entry || !attempt || attempt.hasLink) return;
    attempt.setDeadline(dialTimeoutMs, () => giveUp(entry));
    attempt.open();
  }

  function refuse(peer: string, code: ErrorCode): void {
    const entry = entries.get(peer);
    if (!entry?.attempt || entry.attempt.hasLink) return;
    detach(entry);
    apply(entry, endCurrent(entry.dialState, code));
    notifyIfFree(entry);
  }

  function send({ peer, attempt }: Entry, role: Role, signal: Signal): void {
    const sent = attempt?.isOpen && options.sendOnLink(peer, signal);
    // While a path is being replaced, either of link and discovery may carry nothing.
    if (!sent || signal.round > 0) options.send(kindOf(role), peer, signal);
  }

  function onOpened(entry: Entry, { role }: Attempt, link: Link): void {
    entry.mayConnect = createConnectLimit();
    endPendingDial(entry);
    apply(entry, onOpen(entry.dialState));
    options.onOpen(entry.peer, link, role);
  }

  function onClosed(entry: Entry, attempt: Attempt, reason: BonevalueError | undefined): void {
    detach(entry);
    const error = reason ?? closedWith(entry.peer, "cancelled");
    apply(entry, endCurrent(entry.dialState, error.code, attempt.isSilent));
    onAttemptOver(entry, attempt, error);
  }

  function onEndedByPeer(entry: Entry, code: string): void {
    const attempt = detach(entry);
    if (!attempt) return;
    const error = attempt.isOpen ? closedWith(entry.peer, "disconnected") : whyRefused(entry.peer, attempt, code);
    attempt.closeLink(error);
    onAttemptOver(entry, attempt, error);
  }

  /** Both sides have the same time limit. If the peer's ends first, the error names the reason that we know. */
  function whyRefused(peer: string, attempt: Attempt, reason: string): BonevalueError {
    return reason === "timeout" ? noPath(peer, attempt.trouble()) : refused(peer, reason);
  }

  function onAttemptOver(entry: Entry, { role }: Attempt, error: BonevalueError): void {
    // Only the attempt is over, not the dial: it was the peer's attempt, one that the peer no longer knew, or one that
    // broke. Some platforms lose a handshake now and then, which tells nothing about the next.
    if (role === "callee" || error.code === "disconnected") redial(entry, error);
    else failPendingDial(entry, error);
    notifyIfFree(entry);
  }

  /** The peer's attempt has not opened in time. */
  function giveUp(entry: Entry): void {
    end(entry, noPath(entry.peer, entry.attempt?.trouble()), "timeout");
    redial(entry);
    notifyIfFree(entry);
  }

  /** Our dial has not opened a link in time. */
  function expire(entry: Entry): void {
    const { peer, attempt, pendingDial } = entry;
    const error = timedOut(peer, {
      answered: attempt?.answered,
      trouble: attempt?.trouble(),
      lastError: pendingDial?.lastError,
    });
    if (attempt?.role === "caller") end(entry, error, "timeout");
    failPendingDial(entry, error);
    notifyIfFree(entry);
  }

  function start(entry: Entry): void {
    apply(entry, dial(entry.dialState, nextAttempt++));
  }

  function redial(entry: Entry, error?: BonevalueError): void {
    const { pendingDial } = entry;
    if (!pendingDial) return;
    pendingDial.lastError = error;
    pendingDial.undoRedial();
    pendingDial.undoRedial = clock.after(redialAfterMs, () => start(entry));
  }

  function failPendingDial(entry: Entry, error: BonevalueError): void {
    if (!entry.pendingDial) return;
    endPendingDial(entry);
    options.onFailed(entry.peer, error);
  }

  function endPendingDial(entry: Entry): void {
    entry.pendingDial?.undoDeadline();
    entry.pendingDial?.undoRedial();
    entry.pendingDial = undefined;
  }

  /** Gives the attempt up: informs the peer and closes the link, unless it is open. */
  function end(entry: Entry, error: BonevalueError, code: ErrorCode = error.code): void {
    const attempt = detach(entry);
    apply(entry, endCurrent(entry.dialState, code, attempt?.isSilent));
    // The holder of an open link sends its last frame before it closes it.
    if (!attempt?.isOpen) attempt?.closeLink(error);
  }

  function notifyIfFree(entry: Entry): void {
    // A callback may have forgotten the peer, and dialed it again.
    if (entries.get(entry.peer) !== entry || entry.attempt || entry.pendingDial) return;
    options.onFree(entry.peer);
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
      entry.pendingDial ??= {
        undoDeadline: clock.after(dialTimeoutMs, () => expire(entry)),
        undoRedial: () => {},
      };
      start(entry);
    },
    accept,
    refuse,
    receive(kind, from, raw) {
      const signal = readSignal(raw);
      if (!signal || from === options.self()) return;
      const entry = entryOf(from);
      const transition = onSignal(entry.dialState, kind, signal);
      // The peer repeats an ignored signal.
      if (transition.actions.some((action) => action.do === "connect") && !entry.mayConnect()) return;
      apply(entry, transition, signal);
      // A server can invent senders without end.
      if (!entry.attempt && !entry.pendingDial && !isKnown(from)) entries.delete(from);
    },
    receiveOnLink(from, raw) {
      const { attempt, dialState } = entries.get(from) ?? {};
      const signal = readSignal(raw);
      if (!signal || !attempt?.isOpen || signal.attempt !== dialState?.current?.attempt) return;
      attempt.receive(signal);
    },
    onUnreachable(peer) {
      const entry = entries.get(peer);
      if (!entry || entry.attempt?.isOpen) return;
      const error = unreachable(peer);
      detach(entry)?.closeLink(error);
      entry.dialState = endCurrent(entry.dialState, error.code).state;
      failPendingDial(entry, error);
      notifyIfFree(entry);
    },
    setSilent(peer, isSilent) {
      const attempt = entries.get(peer)?.attempt;
      if (attempt) attempt.isSilent = isSilent;
    },
    resendAll() {
      for (const { peer, attempt, dialState } of entries.values()) {
        attempt?.resend();
        const { current } = dialState;
        if (current?.open) options.send(kindOf(current.role), peer, { attempt: current.attempt, round: 0 });
      }
    },
    forget,
    stop() {
      for (const peer of [...entries.keys()]) forget(peer);
    },
  };
}

/** Removes the attempt from its entry and stops it. The caller closes its link. */
function detach(entry: Entry): Attempt | undefined {
  const { attempt } = entry;
  entry.attempt = undefined;
  attempt?.stop();
  return attempt;
}
