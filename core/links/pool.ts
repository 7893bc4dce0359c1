import type { Clock } from "../clock.ts";
import { BonevalueError, type ErrorCode } from "../errors.ts";
import type { Limits } from "../limits.ts";
import type { SignalKind } from "../protocol/messages.ts";
import type { Live } from "../reactive.ts";
import type { Link, Transport } from "../transport/transport.ts";
import type { Hello } from "../wire/frames.ts";
import { type Connection, createConnection, type Service } from "./connection.ts";
import { createDialer } from "./dialer.ts";
import { createLinkLimiter } from "./link-limiter.ts";
import { createLinkStates, type LinkState } from "./link-states.ts";
import type { Signal } from "./signaling.ts";

/** What a pool needs. Times in ms. */
export interface PoolOptions<S extends Service> {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly limits: Limits;
  /** Links at once that this side dialed; as many again are accepted. */
  readonly maxLinks: number;
  readonly idleTimeout: number;
  self(): string;
  hello(): Hello;
  /** Passes a signal on through discovery; may lose it. */
  signal(kind: SignalKind, to: string, signal: unknown): void;
  iceServers(): readonly RTCIceServer[];
  /** Whether we may talk to this peer now. */
  isKnown(peer: string): boolean;
  serve(connection: Connection<S>): S;
  /** Nothing arrives on a link at present, which may be because of our own network. */
  interrupted(): void;
  /** A link that was open is not any more. */
  closed(peer: string): void;
}

/** Something that waits for a link: exactly one of the two is called, unless it is undone before. */
export interface LinkRequest<S extends Service> {
  /** Others wait for it: it fails with `busy` where `maxLinks` are in use, rather than until one is not. */
  readonly failFast?: boolean;
  begin(connection: Connection<S>): void;
  fail(error: BonevalueError): void;
}

/** Our links: dialed on first use, closed when idle, at most one for each peer. */
export interface Pool<S extends Service> {
  /** Begins at once on an open link, else dials. Those that wait for one peer begin in order. Returns the undo. */
  whenOpen(peer: string, waiting: LinkRequest<S>): () => void;
  /** The connection to a peer, if one is open. */
  connectionTo(peer: string): Connection<S> | undefined;
  state(peer: string): Live<LinkState>;
  receive(kind: SignalKind, from: string, signal: unknown): void;
  /** Discovery says that it cannot reach this peer. */
  onUnreachable(peer: string): void;
  /** Whether discovery is there: new links wait for it. */
  setOnline(online: boolean): void;
  /** We may have slept: links that the other side has given up meanwhile are found out. */
  wake(): void;
  /** The peer has gone, or may no longer be talked to: its link ends at once. */
  drop(peer: string, reason: BonevalueError): void;
  /** Ends every link. */
  close(reason: BonevalueError): void;
}

/** One peer. */
interface Entry<S extends Service> {
  readonly peer: string;
  readonly state: Live<LinkState>;
  readonly waiting: Set<LinkRequest<S>>;
  connection?: Connection<S> | undefined;
}

// How long a link stays open that nothing has been said on yet.
const unusedTimeoutMs = 1_000;

/** An empty pool. The caller ends it with `close`. */
export function createPool<S extends Service>(options: PoolOptions<S>): Pool<S> {
  const { clock, maxLinks, idleTimeout, isKnown } = options;
  const entries = new Map<string, Entry<S>>();
  // Had by those that we dial, until that has failed or the link is over.
  const limiter = createLinkLimiter<Entry<S>>({ count: maxLinks, isOpen: () => online, admit: dial });
  const states = createLinkStates(clock);
  let online = false;

  const dialer = createDialer({
    transport: options.transport,
    clock,
    self: options.self,
    send: options.signal,
    sendOnLink: signalOnLink,
    iceServers: options.iceServers,
    admit,
    opened,
    failed,
  });

  function admit(peer: string, accepted: number): ErrorCode | undefined {
    if (!isKnown(peer)) return "unknown-peer";
    return accepted < maxLinks ? undefined : "busy";
  }

  function entryOf(peer: string): Entry<S> {
    const entry = entries.get(peer) ?? { peer, state: states.of(peer), waiting: new Set() };
    entries.set(peer, entry);
    return entry;
  }

  function dial(entry: Entry<S>): void {
    dialer.dial(entry.peer);
    // Last: who hears of it may sign out.
    states.tell(entry.peer, "connecting");
  }

  function opened(peer: string, link: Link, role: "caller" | "callee"): void {
    const entry = entryOf(peer);
    const connection: Connection<S> = createConnection({
      peer,
      link,
      clock,
      hello: options.hello(),
      limits: options.limits,
      grace: role === "caller" ? unusedTimeoutMs : idleTimeout,
      idleTimeout,
      serve: options.serve,
      signalled: (signal) => dialer.receiveOnLink(peer, signal),
      released() {
        flush(entry);
        limiter.drain();
      },
      rested: limiter.drain,
      interrupted: (reason) => interrupted(entry, reason),
      restored: () => works(entry, link),
      ended: (reason) => ended(entry, connection, reason),
    });
    // What the peer dialed takes none of our limiter.
    if (role === "callee") limiter.release(entry);
    entry.connection = connection;
    works(entry, link);
    flush(entry);
    limiter.drain();
    connection.listen();
  }

  function signalOnLink(peer: string, signal: Signal): boolean {
    return entries.get(peer)?.connection?.signal(signal) ?? false;
  }

  function works(entry: Entry<S>, link: Link): void {
    dialer.setSilent(entry.peer, false);
    // Last: who hears of it may sign out.
    states.works(entry.peer, link);
  }

  function interrupted(entry: Entry<S>, reason: BonevalueError): void {
    dialer.setSilent(entry.peer, true);
    states.tell(entry.peer, "interrupted", reason);
    options.interrupted();
  }

  function flush({ waiting, connection }: Entry<S>): void {
    for (const next of waiting) {
      if (!connection?.accepting) return;
      waiting.delete(next);
      next.begin(connection);
    }
  }

  function ended(entry: Entry<S>, connection: Connection<S>, reason: BonevalueError | undefined): void {
    if (entry.connection !== connection) return;
    entry.connection = undefined;
    limiter.release(entry);
    states.over(entry.peer, reason);
    options.closed(entry.peer);
    settle(entry);
  }

  function failed(peer: string, error: BonevalueError): void {
    const entry = entries.get(peer);
    if (!entry) return;
    limiter.release(entry);
    const fail = allWaiting(entry);
    states.tell(peer, "failed", error);
    fail(error);
    settle(entry);
  }

  /** Who waits now. Who is told may call again, and that waits for another dial. */
  function allWaiting({ waiting }: Entry<S>): (error: BonevalueError) => void {
    const lost = [...waiting];
    waiting.clear();
    return (error) => {
      for (const { fail } of lost) fail(error);
    };
  }

  function settle(entry: Entry<S>): void {
    if (entries.get(entry.peer) === entry && !entry.connection && !limiter.holds(entry)) {
      if (entry.waiting.size > 0) limiter.enqueue(entry);
      else if (entries.delete(entry.peer)) limiter.release(entry);
    }
    limiter.drain();
    if (limiter.isStarved(entry)) turnAway(entry);
  }

  function turnAway(entry: Entry<S>): void {
    const failFast = [...entry.waiting].filter((each) => each.failFast && entry.waiting.delete(each));
    if (failFast.length > 0) settle(entry);
    for (const { fail } of failFast) fail(tooMany(maxLinks));
  }

  function drop(peer: string, reason: BonevalueError): void {
    const entry = entries.get(peer);
    if (entry) {
      allWaiting(entry)(reason);
      entry.connection?.close(reason);
    }
    dialer.forget(peer);
    // Who was told may have called again.
    const left = entries.get(peer);
    if (!left) return;
    limiter.release(left);
    if (left.state.peek().status === "connecting") states.over(peer, reason);
    settle(left);
  }

  return {
    whenOpen(peer, waiting) {
      const entry = entryOf(peer);
      if (entry.connection?.accepting && entry.waiting.size === 0) {
        waiting.begin(entry.connection);
        return () => {};
      }
      entry.waiting.add(waiting);
      settle(entry);
      return () => {
        entry.waiting.delete(waiting);
        if (entries.get(peer) === entry) settle(entry);
      };
    },
    connectionTo: (peer) => entries.get(peer)?.connection,
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
    drop,
    close(reason) {
      online = false;
      for (const peer of [...entries.keys()]) drop(peer, reason);
      dialer.stop();
    },
  };
}

function tooMany(links: number): BonevalueError {
  const message = `All ${links} links are in use: ask fewer peers at once, or raise \`maxLinks\`.`;
  return new BonevalueError("busy", message);
}
