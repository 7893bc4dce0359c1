import type { Clock } from "../clock.ts";
import { BonevalueError, type ErrorCode } from "../errors.ts";
import type { Limits } from "../limits.ts";
import type { Channel, Link, LinkIdentity } from "../transport/transport.ts";
import { type CompleteFrame, createFrameReader } from "../wire/frame-reader.ts";
import { CloseStep, type Frame, type Hello, Kind } from "../wire/frames.ts";
import { createSendScheduler, type SendScheduler } from "../wire/send-scheduler.ts";
import { createHello, readHello } from "./hello.ts";
import { createIdleClose } from "./idle-close.ts";
import type { Signal } from "./signaling.ts";

/** The layer above a connection, such as RPC. It is created with the connection and ends with it. */
export interface Service {
  /** Whether no call and no stream is open, either way. */
  readonly isIdle: boolean;
  /** The peer's hello has been read, so its limits are known. */
  opened?(): void;
  /** Reads a frame of the service. Throws `protocol` if it breaks the rules. */
  receive(frame: CompleteFrame, channel: Channel): void;
  /** The link is over: nothing more is sent or received. `agreed`: both sides have closed it, with nothing on its way. */
  end(reason: BonevalueError, agreed: boolean): void;
}

/** The frames between two peers on one open link. */
export interface Connection<S extends Service = Service> {
  readonly peer: string;
  readonly service: S;
  readonly scheduler: SendScheduler;
  /** The peer's limits, once its hello has been read. */
  readonly remote: Hello | undefined;
  /** Whether a call may start on it now: not while it is being closed. */
  readonly accepting: boolean;
  /** Whether it has ended. */
  readonly isOver: boolean;
  /** Whether the peer's identity is certain. */
  readonly verified: boolean;
  /** When it was last used, either way, by the clock. */
  readonly lastUse: number;
  /** Starts to read what the peer sends, and may have sent before. To be called once. */
  listen(): void;
  /** Our own use: keeps it open for `keepOpenMs` from now on. */
  keepOpen(keepOpenMs: number): void;
  /** Sends a signal about this link on the link itself, or returns `false` while it is being closed. */
  signal(signal: Signal): boolean;
  /** Its slot is wanted: offers to close it if nothing is open on it, see {@link IdleClose.offer}. */
  offerClose(): boolean;
  /** Ends it at once; the peer reads the reason's code. */
  close(reason: BonevalueError): void;
}

/** The pool's part of a connection's options. Times in ms. */
export interface LinkOptions {
  readonly peer: string;
  readonly link: Link;
  readonly identity: LinkIdentity;
  readonly clock: Clock;
  /** How long it stays open before our first use. */
  readonly unusedTimeout: number;
  /** How long it stays open after the peer has declined to close it. */
  readonly idleTimeout: number;
  /** A signal has arrived, unchecked. */
  onSignal(signal: unknown): void;
  /** It accepts calls again, or `offerClose` may help now. */
  onRelease(): void;
  /** Nothing is open any more, and nothing is left to send. */
  onIdle(): void;
  onInterrupted(reason: BonevalueError): void;
  onRestored(): void;
  /** It is over: by agreement if there is no reason. */
  onEnd(reason: BonevalueError | undefined): void;
}

/** The options of {@link createConnection}. */
export interface ConnectionOptions<S extends Service> extends LinkOptions {
  /** Our own hello. */
  readonly hello: Hello;
  readonly limits: Limits;
  serve(connection: Connection<S>): S;
}

const helloTimeoutMs = 5_000;
// Time for the peer to read our reason before the link closes.
const closeTimeoutMs = 1_000;

/** Sends the hello on a link that has opened. It reads what the peer sends from `listen` on. */
export function createConnection<S extends Service>(options: ConnectionOptions<S>): Connection<S> {
  const { peer, link, identity, clock } = options;
  const helloRead = new Set<Channel>();
  const scheduler = createSendScheduler(link, { clock, onEmpty });
  const readFrames = createFrameReader(clock, options.limits);
  let remote: Hello | undefined;
  let lastUse = clock.now();
  let over = false;

  const idleClose = createIdleClose({
    clock,
    unusedTimeout: options.unusedTimeout,
    idleTimeout: options.idleTimeout,
    isIdle,
    send: (step, channel) => scheduler.send(channel, [Kind.close, step]),
    onRelease: options.onRelease,
    close: (agreed) => end(undefined, agreed),
    evict: () => closeWith("busy"),
  });
  const undoHelloTimer = clock.after(helloTimeoutMs, () =>
    fail(new BonevalueError("link-failed", "The peer did not send its hello within 5 s. Call again.")),
  );

  function isIdle(): boolean {
    return service.isIdle && scheduler.isEmpty;
  }

  function onEmpty(): void {
    if (over || !isIdle()) return;
    idleClose.onIdle();
    options.onIdle();
  }

  function receive(channel: Channel, bytes: Uint8Array<ArrayBuffer>): void {
    if (channel === "lossy" && !remote) return;
    try {
      for (const frame of readFrames(channel, bytes)) read(frame, channel);
    } catch (error) {
      fail(asProtocolError(error));
    }
    onEmpty();
  }

  function read(frame: CompleteFrame, channel: Channel): void {
    // Both sides have sent their last frame.
    if (over && frame[0] === Kind.close && frame[2]) link.close();
    if (over) return;
    if (channel === "lossy") service.receive(frame, channel);
    else if (!helloRead.has(channel)) onHello(frame, channel);
    else if (frame[0] === Kind.close) readClose(frame[1], frame[2], channel);
    else if (frame[0] === Kind.signal) options.onSignal(frame[2]);
    else {
      lastUse = clock.now();
      service.receive(frame, channel);
    }
  }

  function onHello(frame: CompleteFrame, channel: "control" | "bulk"): void {
    const hello = readHello(frame, peer, identity);
    helloRead.add(channel);
    if (remote) return;
    remote = hello;
    undoHelloTimer();
    scheduler.open({ message: Math.min(hello.message, options.hello.message), assembly: hello.assembly });
    service.opened?.();
  }

  function readClose(step: number, code: string | undefined, channel: "control" | "bulk"): void {
    if (step !== CloseStep.offer || code === undefined) idleClose.readStep(step, channel);
    // The peer needs the slot of an unused link: nothing has failed.
    else end(code === "busy" && isIdle() ? undefined : disconnected(`The peer closed the link (${code})`));
  }

  /** Ends the connection with an error of ours. The peer reads its code. */
  function fail(reason: BonevalueError): void {
    closeWith(reason.code, reason);
  }

  /** Ends the connection. `code` is the last frame, which the peer gets a second to read. */
  function closeWith(code: ErrorCode, reason?: BonevalueError): void {
    if (over) return;
    finish(reason, false, [Kind.close, CloseStep.offer, code]);
    const undo = clock.after(closeTimeoutMs, () => link.close(reason));
    link.closed.then(undo);
  }

  /** Ends the connection without a last frame: by agreement, by the peer, or with the link. */
  function end(reason: BonevalueError | undefined, agreed = idleClose.accepted): void {
    if (over) return;
    finish(reason, agreed);
    link.close(reason);
  }

  function finish(reason: BonevalueError | undefined, agreed: boolean, last?: Frame<never>): void {
    over = true;
    undoHelloTimer();
    idleClose.stop();
    scheduler.close(last);
    service.end(reason ?? disconnected("The link was closed because it was unused"), agreed);
    options.onEnd(reason);
  }

  const connection: Connection<S> = {
    peer,
    scheduler,
    get service() {
      return service;
    },
    get remote() {
      return remote;
    },
    get accepting() {
      return !over && idleClose.accepting;
    },
    get isOver() {
      return over;
    },
    get verified() {
      return identity.verified;
    },
    get lastUse() {
      return lastUse;
    },
    listen() {
      link.listen({
        message: receive,
        drain: scheduler.drained,
        // A link that is being closed has no state to report.
        interrupted: (reason) => over || options.onInterrupted(reason),
        restored: () => over || options.onRestored(),
      });
    },
    keepOpen(keepOpenMs) {
      // The end of the connection ends its calls.
      if (over) return;
      lastUse = clock.now();
      idleClose.keepOpen(keepOpenMs);
    },
    signal(signal) {
      if (!connection.accepting) return false;
      scheduler.send("control", [Kind.signal, 0, signal]);
      return true;
    },
    offerClose: idleClose.offer,
    close: fail,
  };
  const service = options.serve(connection);

  const hello = createHello(identity.hello ? { ...options.hello, identity: identity.hello } : options.hello);
  scheduler.send("control", hello);
  scheduler.send("bulk", hello);
  link.closed.then((reason) =>
    end(idleClose.accepted ? undefined : (reason ?? disconnected("The link to the peer was lost"))),
  );
  return connection;
}

function disconnected(what: string): BonevalueError {
  return new BonevalueError("disconnected", `${what}. Call again to redial the peer.`);
}

function asProtocolError(error: unknown): BonevalueError {
  if (error instanceof BonevalueError) return error;
  return new BonevalueError(
    "protocol",
    "A message of the peer could not be read: see the cause. Call again, or update the older side.",
    { cause: error },
  );
}
