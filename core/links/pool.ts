import { BonevalueError } from "../errors.ts";
import type { SignalKind } from "../protocol/messages.ts";
import type { Live } from "../reactive.ts";
import type { Link, LinkIdentity } from "../transport/transport.ts";
import type { Connection, LinkOptions, Service } from "./connection.ts";
import type { Role } from "./dial-state.ts";
import { createDialer, type DialerOptions } from "./dialer.ts";
import { createLinkLimiter } from "./link-limiter.ts";
import { createLinkStates, type LinkState } from "./link-states.ts";

/** Times in ms. */
export interface PoolOptions<S extends Service>
  extends Pick<
    DialerOptions,
    "transport" | "clock" | "connectionPart" | "self" | "send" | "iceServers" | "openRelay" | "isKnown"
  > {
  /** Links at once, dialed and accepted together. */
  readonly maxLinks: number;
  readonly idleTimeout: number;
  /** Returns the identity of the peer at the other end of a link that has opened. */
  identify(link: Link): LinkIdentity;
  /** Creates the connection on a link that has opened. */
  connect(options: LinkOptions): Connection<S>;
  /** Nothing arrives on a link at present, perhaps because of our own network. */
  onInterrupted(): void;
  /** A link that was open has ended. */
  onClosed(peer: string): void;
}

/** A request for a link. Exactly one of `begin` and `fail` runs, unless the request is withdrawn before. */
export interface LinkRequest<S extends Service> {
  /** Fails with `busy` instead of waiting for a free slot: other peers' calls wait for this one. */
  readonly failFast?: boolean;
  begin(connection: Connection<S>): void;
  /** It waits on, because one side has no free slot. */
  onBusy?(error: BonevalueError): void;
  fail(error: BonevalueError): void;
}

/** Our links: dialed on first use, closed when idle, at most one for each peer. */
export interface Pool<S extends Service> {
  /**
   * Begins at once on an open link, else dials. Requests for one peer begin in order. While the peer, or this side, has
   * no free slot, a request waits until it is withdrawn. Returns its withdrawal.
   */
  whenOpen(peer: string, request: LinkRequest<S>): () => void;
  /** The connection to a peer, if one is open. */
  connectionTo(peer: string): Connection<S> | undefined;
  state(peer: string): Live<LinkState>;
  /** Reads a signal that discovery has passed on. */
  receive(kind: SignalKind, from: string, signal: unknown): void;
  /** Discovery cannot reach this peer. */
  onUnreachable(peer: string): void;
  /** Sets whether the discovery server is connected: new links wait for it. */
  setOnline(online: boolean): void;
  /** The page may have been suspended: finds out which links the peers have given up meanwhile. */
  wake(): void;
  /**
   * The peer has gone: everything that waits for a link to it fails. An open link stays, since the peer's last frames may still
   * arrive.
   */
  failRequests(peer: string, reason: BonevalueError): void;
  /** The peer may no longer be talked to: its link ends at once. */
  drop(peer: string, reason: BonevalueError): void;
  /** Ends every link. */
  close(reason: BonevalueError): void;
}

interface Entry<S extends Service> {
  readonly peer: string;
  readonly state: Live<LinkState>;
  readonly requests: Set<LinkRequest<S>>;
  /** The newest, which may be over. */
  connection?: Connection<S> | undefined;
  /** Set while a dial that found the peer busy waits for the next. */
  undoRetry?: (() => void) | undefined;
}

// How long a link that we dialed stays open before its first use.
const unusedTimeoutMs = 1_000;
// How long after the answer `busy` the peer is dialed again. Peers without a free slot because they dial each other in a ring would
// find each other busy again if all of them waited equally long, so the peer with the lower id waits longer.
const busyRetryMs = 1_000;
const busyRetryOfLowerIdMs = 1_400;

/** Creates an empty pool. The caller ends it with `close`. */
export function createPool<S extends Service>(options: PoolOptions<S>): Pool<S> {
  const { clock, maxLinks, idleTimeout } = options;
  const entries = new Map<string, Entry<S>>();
  const states = createLinkStates(clock);
  let online = false;

  const limiter = createLinkLimiter<Entry<S>>({
    maxLinks,
    isOnline: () => online,
    dial({ peer }) {
      dialer.dial(peer);
      // Last: a subscriber may sign out.
      states.report(peer, "connecting");
    },
    accept: ({ peer }) => dialer.accept(peer),
    refuse: ({ peer }) => dialer.refuse(peer, "busy"),
  });

  const dialer = createDialer({
    ...options,
    firstAttempt: Date.now(),
    sendOnLink: (peer, signal) => connectionTo(peer)?.signal(signal) ?? false,
    onIncoming: (peer) => limiter.admit(entryOf(peer)),
    onOpen,
    onFailed,
    onFree,
  });

  function entryOf(peer: string): Entry<S> {
    const entry = entries.get(peer) ?? { peer, state: states.of(peer), requests: new Set() };
    entries.set(peer, entry);
    return entry;
  }

  function connectionTo(peer: string): Connection<S> | undefined {
    const connection = entries.get(peer)?.connection;
    return connection?.isOver ? undefined : connection;
  }

  function onOpen(peer: string, link: Link, role: Role): void {
    const entry = entryOf(peer);
    const identity = options.identify(link);
    const connection = options.connect({
      peer,
      link,
      identity,
      clock,
      unusedTimeout: role === "caller" ? unusedTimeoutMs : idleTimeout,
      idleTimeout,
      onSignal: (signal) => dialer.receiveOnLink(peer, signal),
      onRelease() {
        flush(entry);
        limiter.drain();
      },
      onIdle: limiter.drain,
      onInterrupted: (reason) => onInterrupted(peer, reason),
      onRestored: () => onWorking(peer, link, identity),
      onEnd(reason) {
        states.reportEnd(peer, reason);
        options.onClosed(peer);
      },
    });
    entry.connection = connection;
    onWorking(peer, link, identity);
    flush(entry);
    connection.listen();
    // Last: a dial that waited for this one begins, and a subscriber may sign out.
    limiter.drain();
  }

  function onWorking(peer: string, link: Link, { verified }: LinkIdentity): void {
    dialer.setSilent(peer, false);
    // Last: a subscriber may sign out.
    states.reportOpen(peer, link, verified);
  }

  function onInterrupted(peer: string, reason: BonevalueError): void {
    dialer.setSilent(peer, true);
    states.report(peer, "interrupted", reason);
    options.onInterrupted();
  }

  function flush({ requests, connection }: Entry<S>): void {
    for (const request of requests) {
      if (!connection?.accepting) return;
      requests.delete(request);
      request.begin(connection);
    }
  }

  function onFailed(peer: string, error: BonevalueError): void {
    const entry = entryOf(peer);
    const isBusy = error.code === "busy";
    if (isBusy) {
      entry.undoRetry = clock.after(options.self() < peer ? busyRetryOfLowerIdMs : busyRetryMs, () => {
        entry.undoRetry = undefined;
        settle(entry);
      });
    }
    const fail = takeRequests(entry, (request) => !isBusy || request.failFast);
    if (isBusy) for (const request of entry.requests) request.onBusy?.(error);
    states.report(peer, "failed", error);
    fail(error);
  }

  function onFree(peer: string): void {
    const entry = entries.get(peer);
    if (!entry) return;
    entry.connection = undefined;
    limiter.release(entry);
    settle(entry);
  }

  /** Removes requests before any of them is failed: an app may call again, and that waits for another dial. */
  function takeRequests(
    { requests }: Entry<S>,
    filter: (request: LinkRequest<S>) => boolean | undefined,
  ): (error: BonevalueError) => void {
    const taken = [...requests].filter(filter);
    for (const request of taken) requests.delete(request);
    return (error) => {
      for (const { fail } of taken) fail(error);
    };
  }

  /** Queues a peer that is wanted and holds no slot, and removes a peer that is not wanted. */
  function settle(entry: Entry<S>): void {
    if (entries.get(entry.peer) === entry && !limiter.holds(entry)) {
      if (entry.requests.size === 0) remove(entry);
      else if (!entry.undoRetry) limiter.enqueue(entry);
    }
    limiter.drain();
    if (!limiter.isStarved(entry)) return;
    const busy = tooManyLinks(maxLinks);
    const fail = takeRequests(entry, ({ failFast }) => failFast);
    if (entry.requests.size === 0) remove(entry);
    for (const request of entry.requests) request.onBusy?.(busy);
    fail(busy);
  }

  function remove(entry: Entry<S>): void {
    entries.delete(entry.peer);
    limiter.release(entry);
    entry.undoRetry?.();
  }

  function failRequests(peer: string, reason: BonevalueError): void {
    const entry = entries.get(peer);
    if (entry) takeRequests(entry, () => true)(reason);
  }

  function drop(peer: string, reason: BonevalueError): void {
    failRequests(peer, reason);
    entries.get(peer)?.connection?.close(reason);
    dialer.forget(peer);
    if (entries.get(peer)?.state.peek().status === "connecting") states.reportEnd(peer, reason);
    onFree(peer);
  }

  return {
    whenOpen(peer, request) {
      const entry = entryOf(peer);
      if (entry.connection?.accepting && entry.requests.size === 0) {
        request.begin(entry.connection);
        return () => {};
      }
      entry.requests.add(request);
      settle(entry);
      return () => {
        entry.requests.delete(request);
        settle(entry);
      };
    },
    connectionTo,
    state: states.of,
    receive: dialer.receive,
    onUnreachable: dialer.onUnreachable,
    setOnline(now) {
      online = now;
      if (!online) return;
      dialer.resendAll();
      limiter.drain();
    },
    wake: dialer.resendAll,
    failRequests,
    drop,
    close(reason) {
      online = false;
      for (const peer of [...entries.keys()]) drop(peer, reason);
      dialer.stop();
    },
  };
}

function tooManyLinks(links: number): BonevalueError {
  const message = `All ${links} links are in use. Ask fewer peers at once, or raise \`maxLinks\`.`;
  return new BonevalueError("busy", message);
}
