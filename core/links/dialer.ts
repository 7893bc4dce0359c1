import type { Clock } from "../clock.ts";
import { BonevalueError, type ErrorCode } from "../errors.ts";
import { type LazyPart, notLoaded } from "../lazy-part.ts";
import type { SignalKind } from "../protocol/messages.ts";
import { createRateLimiter, type RateLimiter } from "../rate-limiter.ts";
import type { Link, SignalExchange, Transport } from "../transport/transport.ts";
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
  type Step,
} from "./dial-state.ts";
import { createSignaling, readSignal, type Signal, type Signaling } from "./signaling.ts";

// Attempts of one peer in a second that come to no link: each costs us a connection.
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
  /** What `onOpen` needs. It is loaded while a link is dialed. */
  readonly code: LazyPart;
  /** Our own id at this moment. */
  self(): string;
  /** Passes a signal on through discovery; may lose it. */
  send(kind: SignalKind, to: string, signal: Signal): void;
  /** Sends a signal over the open link that it is about, or returns `false`. */
  sendOnLink(to: string, signal: Signal): boolean;
  /** The servers that the discovery server names at this moment. */
  iceServers(): readonly RTCIceServer[];
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

/** One attempt of either side, and the link that it opens. */
interface Attempt {
  readonly role: Role;
  readonly signals: Signaling;
  /** There is none before a peer's attempt is accepted. */
  link?: Link;
  undoDeadline: () => void;
  open: boolean;
  /** It is open, and nothing arrives on it. */
  silent: boolean;
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
  mayBegin: RateLimiter;
  dialing: DialState;
  current?: Attempt | undefined;
  pendingDial?: PendingDial | undefined;
}

/** Creates a dialer without links. It opens nothing before `dial` or `receive`; the caller ends it with `stop`. */
export function createDialer(options: DialerOptions): Dialer {
  const { clock, code, isKnown } = options;
  const entries = new Map<string, Entry>();
  let nextAttempt = options.firstAttempt;

  const budget = () => createRateLimiter(clock, attemptsPerSecond, 1_000);

  function entryOf(peer: string): Entry {
    const entry = entries.get(peer) ?? { peer, mayBegin: budget(), dialing: createDialState(options.self(), peer) };
    entries.set(peer, entry);
    return entry;
  }

  function apply(entry: Entry, step: Step, signal?: Signal): void {
    entry.dialing = step.state;
    for (const action of step.actions) perform(entry, action, signal);
  }

  function perform(entry: Entry, action: Action, signal?: Signal): void {
    const { peer } = entry;
    if (action.do === "connect") connect(entry, action.role, action.attempt, signal);
    else if (action.do === "receive") entry.current?.signals.receive(signal!);
    else if (action.do === "sendEnd")
      options.send(action.kind, peer, { attempt: action.attempt, round: 0, end: action.code });
    else if (action.do === "end") onEndedByPeer(entry, action.code);
    else detach(entry)?.link?.close(closedWith(peer, "disconnected"));
  }

  function connect(entry: Entry, role: Role, number: number, signal?: Signal): void {
    const { peer } = entry;
    const signals = createSignaling({
      role,
      attempt: number,
      clock,
      send: (sent) => send(entry, role, sent),
      iceServers: options.iceServers,
    });
    if (signal) signals.receive(signal);
    const attempt: Attempt = { role, signals, undoDeadline: () => {}, open: false, silent: false };
    entry.current = attempt;
    // A caller's attempt ends with the dial that it is for.
    if (role === "caller") open(entry, attempt);
    else if (isKnown(peer)) {
      attempt.undoDeadline = clock.after(admissionTimeoutMs, () => refuse(peer, "busy"));
      options.onIncoming(peer);
    } else refuse(peer, "unknown-peer");
  }

  function accept(peer: string): void {
    const entry = entries.get(peer);
    const { current } = entry ?? {};
    if (!entry || !current || current.link) return;
    current.undoDeadline();
    current.undoDeadline = clock.after(dialTimeoutMs, () => giveUp(entry));
    open(entry, current);
  }

  function refuse(peer: string, code: ErrorCode): void {
    const entry = entries.get(peer);
    if (!entry?.current || entry.current.link) return;
    detach(entry);
    apply(entry, endCurrent(entry.dialing, code));
    free(entry);
  }

  function open(entry: Entry, attempt: Attempt): void {
    const link = openLink(options.transport, entry.peer, attempt.role, attempt.signals.exchange);
    attempt.link = link;
    whenReady(link).then(
      () => onOpened(entry, attempt, link),
      () => {},
    );
    link.closed.then((reason) => attempt.open || onClosed(entry, attempt, reason));
  }

  function whenReady(link: Link): Promise<unknown> {
    if (code.loaded) return link.opened;
    const loading = code.load();
    loading.catch((error) => link.close(error));
    return Promise.all([link.opened, loading]);
  }

  /** Why an attempt has not opened a link yet. */
  function troubleOf(attempt: Attempt | undefined): string | undefined {
    return attempt?.link?.trouble?.() ?? (code.loaded ? undefined : notLoaded);
  }

  function send({ peer, current }: Entry, role: Role, signal: Signal): void {
    const sent = current?.open && options.sendOnLink(peer, signal);
    // While a path is being replaced, either of link and discovery may carry nothing.
    if (!sent || signal.round > 0) options.send(kindOf(role), peer, signal);
  }

  function onOpened(entry: Entry, attempt: Attempt, link: Link): void {
    if (entry.current !== attempt) return;
    attempt.open = true;
    entry.mayBegin = budget();
    attempt.undoDeadline();
    endPendingDial(entry);
    apply(entry, onOpen(entry.dialing));
    options.onOpen(entry.peer, link, attempt.role);
    // Last: the holder of the link learns of its end before the peer is free.
    link.closed.then((reason) => onClosed(entry, attempt, reason));
  }

  function onClosed(entry: Entry, attempt: Attempt, reason: BonevalueError | undefined): void {
    if (entry.current !== attempt) return;
    detach(entry);
    const error = reason ?? closedWith(entry.peer, "cancelled");
    apply(entry, endCurrent(entry.dialing, error.code, attempt.silent));
    goOn(entry, attempt, error);
  }

  function onEndedByPeer(entry: Entry, code: string): void {
    const attempt = detach(entry);
    if (!attempt) return;
    const error = attempt.open ? closedWith(entry.peer, "disconnected") : whyRefused(entry.peer, attempt, code);
    attempt.link?.close(error);
    goOn(entry, attempt, error);
  }

  /** Both sides have the same time limit. If the peer's ends first, the reason is what we know of the path. */
  function whyRefused(peer: string, attempt: Attempt, reason: string): BonevalueError {
    return reason === "timeout" ? noPath(peer, troubleOf(attempt)) : refused(peer, reason);
  }

  function goOn(entry: Entry, { role }: Attempt, error: BonevalueError): void {
    // Only the attempt is over, not the dial: it was the peer's attempt, one that the peer no longer knew, or one that
    // broke. Some platforms lose a handshake now and then, which tells nothing about the next.
    if (role === "callee" || error.code === "disconnected") redial(entry, error);
    else fail(entry, error);
    free(entry);
  }

  /** The peer's attempt has not opened in time. */
  function giveUp(entry: Entry): void {
    end(entry, noPath(entry.peer, troubleOf(entry.current)), "timeout");
    redial(entry);
    free(entry);
  }

  /** Our dial has not opened a link in time. */
  function expire(entry: Entry): void {
    const { peer, current, pendingDial } = entry;
    const error = timedOut(peer, {
      answered: current?.signals.answered,
      trouble: troubleOf(current),
      lastError: pendingDial?.lastError,
    });
    if (current?.role === "caller") end(entry, error, "timeout");
    fail(entry, error);
    free(entry);
  }

  function start(entry: Entry): void {
    apply(entry, dial(entry.dialing, nextAttempt++));
  }

  function redial(entry: Entry, error?: BonevalueError): void {
    const { pendingDial } = entry;
    if (!pendingDial) return;
    pendingDial.lastError = error ?? pendingDial.lastError;
    pendingDial.undoRedial();
    pendingDial.undoRedial = clock.after(redialAfterMs, () => start(entry));
  }

  function fail(entry: Entry, error: BonevalueError): void {
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
    apply(entry, endCurrent(entry.dialing, code, attempt?.silent));
    // The holder of an open link sends its last frame before it closes it.
    if (!attempt?.open) attempt?.link?.close(error);
  }

  function free(entry: Entry): void {
    // A callback may have forgotten the peer, and dialed it again.
    if (entries.get(entry.peer) !== entry || entry.current || entry.pendingDial) return;
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
      const step = onSignal(entry.dialing, kind, signal);
      // The peer repeats what is ignored.
      if (step.actions.some((action) => action.do === "connect") && !entry.mayBegin()) return;
      apply(entry, step, signal);
      // A server can invent senders without end.
      if (!entry.current && !entry.pendingDial && !isKnown(from)) entries.delete(from);
    },
    receiveOnLink(from, raw) {
      const { current, dialing } = entries.get(from) ?? {};
      const signal = readSignal(raw);
      if (!signal || !current?.open || signal.attempt !== dialing?.current?.attempt) return;
      current.signals.receive(signal);
    },
    onUnreachable(peer) {
      const entry = entries.get(peer);
      if (!entry || entry.current?.open) return;
      const error = unreachable(peer);
      detach(entry)?.link?.close(error);
      entry.dialing = endCurrent(entry.dialing, error.code).state;
      fail(entry, error);
      free(entry);
    },
    setSilent(peer, silent) {
      const current = entries.get(peer)?.current;
      if (current) current.silent = silent;
    },
    resendAll() {
      for (const { peer, current, dialing } of entries.values()) {
        current?.signals.resend();
        if (dialing.current?.open)
          options.send(kindOf(dialing.current.role), peer, { attempt: dialing.current.attempt, round: 0 });
      }
    },
    forget,
    stop() {
      for (const peer of [...entries.keys()]) forget(peer);
    },
  };
}

/** Removes the attempt from its entry and stops its signals. The caller closes the link. */
function detach(entry: Entry): Attempt | undefined {
  const { current } = entry;
  entry.current = undefined;
  current?.undoDeadline();
  current?.signals.stop();
  return current;
}

/** Opens a link. If an app's own transport throws, returns a link that has failed with `link-failed`. */
function openLink(transport: Transport, peer: string, role: Role, exchange: SignalExchange): Link {
  try {
    return transport.open(peer, role, exchange);
  } catch (cause) {
    const reason = new BonevalueError("link-failed", "The transport failed to open a link: see the cause.", {
      cause,
    });
    const ignore = () => {};
    return {
      opened: Promise.reject(reason),
      closed: Promise.resolve(reason),
      maxMessage: 0,
      buffered: 0,
      lowMark: 0,
      listen: ignore,
      send: ignore,
      close: ignore,
    };
  }
}
