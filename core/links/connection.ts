import type { Clock } from "../clock.ts";
import { BonevalueError, type ErrorCode } from "../errors.ts";
import type { Limits } from "../limits.ts";
import type { Channel, Link } from "../transport/transport.ts";
import { type CompleteFrame, createFrameReader } from "../wire/frame-reader.ts";
import { CloseStep, type Frame, type Hello, Kind } from "../wire/frames.ts";
import { createSendScheduler, type SendScheduler } from "../wire/send-scheduler.ts";
import { createHello, readHello } from "./hello.ts";
import { createIdleClose } from "./idle-close.ts";
import type { Signal } from "./signaling.ts";

/** What a connection carries. It is made with the connection and ends with it. */
export interface Service {
  /** Whether no call and no stream is open, either way. */
  readonly isIdle: boolean;
  /** A frame that is the service's own. Throws `protocol` where it breaks the rules. */
  receive(frame: CompleteFrame): void;
  /** The link is over: nothing more is sent or received. */
  end(reason: BonevalueError): void;
}

/** What two peers say to each other over one open link. */
export interface Connection<S extends Service = Service> {
  readonly peer: string;
  readonly service: S;
  readonly scheduler: SendScheduler;
  /** The other side's limits, once its hello has been read. */
  readonly remote: Hello | undefined;
  /** Whether a call may start on it now: not while it is being closed. */
  readonly accepting: boolean;
  /** When it was last used, either way, by the clock. */
  readonly lastUse: number;
  /** Begins to hear the other side, which may have spoken before. To be called once. */
  listen(): void;
  /** Our own use: keeps it open for `linger` ms from now on. */
  keepOpen(linger: number): void;
  /** Says a signal of this link over the link itself; `false`, and unsaid, while it is being closed. */
  signal(signal: Signal): boolean;
  /** Its place is wanted: whether it makes room. Where the other side says that it stays, it does 5 s later. */
  offerClose(): boolean;
  /** Ends it at once; the other side is told the reason's code. */
  close(reason: BonevalueError): void;
}

/** What a connection needs, and whom it tells. */
export interface ConnectionOptions<S extends Service> {
  readonly peer: string;
  readonly link: Link;
  readonly clock: Clock;
  /** Our own hello. */
  readonly hello: Hello;
  readonly limits: Limits;
  readonly grace: number;
  readonly idleTimeout: number;
  serve(connection: Connection<S>): S;
  /** A signal has arrived, unchecked. */
  signalled(signal: unknown): void;
  /** It accepts calls again. */
  released(): void;
  /** Nothing is open any more, nor waits to be sent. */
  rested(): void;
  interrupted(reason: BonevalueError): void;
  restored(): void;
  /** It is over: by consent where there is no reason. */
  ended(reason: BonevalueError | undefined): void;
}

const helloTimeout = 5_000;
// For the other side to read our reason before the link goes.
const partingTime = 1_000;

/** Speaks with the other side of a link that has opened, and hears it from `listen` on. */
export function createConnection<S extends Service>(options: ConnectionOptions<S>): Connection<S> {
  const { peer, link, clock } = options;
  const greeted = new Set<Channel>();
  const scheduler = createSendScheduler(link, { clock, onEmpty: rest });
  const readFrames = createFrameReader(clock, options.limits);
  let remote: Hello | undefined;
  let lastUse = clock.now();
  let over = false;

  const idleClose = createIdleClose({
    clock,
    grace: options.grace,
    idleTimeout: options.idleTimeout,
    isIdle,
    say: (step, channel) => scheduler.send(channel, [Kind.close, step]),
    release: options.released,
    close: () => end(undefined),
    evict: () => part("busy"),
  });
  const undoHelloTimer = clock.after(helloTimeout, () =>
    fail(new BonevalueError("link-failed", "The peer did not say hello within 5 s; call again.")),
  );

  function isIdle(): boolean {
    return service.isIdle && scheduler.isEmpty;
  }

  function rest(): void {
    if (over || !isIdle()) return;
    idleClose.rested();
    options.rested();
  }

  function receive(channel: Channel, bytes: Uint8Array<ArrayBuffer>): void {
    if (channel === "lossy" && !remote) return;
    try {
      for (const frame of readFrames(channel, bytes)) read(frame, channel);
    } catch (error) {
      fail(asProtocolError(error));
    }
    rest();
  }

  function read(frame: CompleteFrame, channel: Channel): void {
    // Who takes its leave need not wait for who does the same.
    if (over && frame[0] === Kind.close && frame[2]) link.close();
    if (over) return;
    if (channel === "lossy") service.receive(frame);
    else if (!greeted.has(channel)) greet(frame, channel);
    else if (frame[0] === Kind.close) readClose(frame[1], frame[2], channel);
    else if (frame[0] === Kind.signal) options.signalled(frame[2]);
    else {
      lastUse = clock.now();
      service.receive(frame);
    }
  }

  function greet(frame: CompleteFrame, channel: "control" | "bulk"): void {
    const hello = readHello(frame, peer);
    greeted.add(channel);
    if (remote) return;
    remote = hello;
    undoHelloTimer();
    scheduler.open({ message: Math.min(hello.message, options.hello.message), assembly: hello.assembly });
  }

  function readClose(step: number, code: string | undefined, channel: "control" | "bulk"): void {
    if (step === CloseStep.offer && code !== undefined) end(closedByPeer(code));
    else idleClose.read(step, channel);
  }

  /** Ends the connection with an error of ours, which the other side is told. */
  function fail(reason: BonevalueError): void {
    part(reason.code, reason);
  }

  function part(code: ErrorCode, reason?: BonevalueError): void {
    if (over) return;
    finish(reason, [Kind.close, CloseStep.offer, code]);
    const undo = clock.after(partingTime, () => link.close(reason));
    link.closed.then(undo);
  }

  function end(reason: BonevalueError | undefined): void {
    if (over) return;
    finish(reason);
    link.close(reason);
  }

  function finish(reason: BonevalueError | undefined, last?: Frame<never>): void {
    over = true;
    undoHelloTimer();
    idleClose.stop();
    scheduler.close(last);
    service.end(reason ?? new BonevalueError("disconnected", "The link was closed, since nobody used it."));
    options.ended(reason);
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
    get lastUse() {
      return lastUse;
    },
    listen() {
      link.listen({
        message: receive,
        drain: scheduler.drained,
        // While it takes its leave, what it goes through is nobody's business.
        interrupted: (reason) => over || options.interrupted(reason),
        restored: () => over || options.restored(),
      });
    },
    keepOpen(linger) {
      // A call may end because the connection has.
      if (over) return;
      lastUse = clock.now();
      idleClose.use(linger);
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

  scheduler.send("control", createHello(options.hello));
  scheduler.send("bulk", createHello(options.hello));
  link.closed.then((reason) => end(idleClose.consented ? undefined : (reason ?? disconnected())));
  return connection;
}

function disconnected(): BonevalueError {
  return new BonevalueError("disconnected", "The link to the peer was lost; call again to dial it anew.");
}

function closedByPeer(code: string): BonevalueError {
  return new BonevalueError("disconnected", `The peer closed the link (${code}); call again to dial it anew.`);
}

function asProtocolError(error: unknown): BonevalueError {
  if (error instanceof BonevalueError) return error;
  return new BonevalueError("protocol", "A message of the peer could not be handled.", { cause: error });
}
