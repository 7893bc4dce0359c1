import type { Clock } from "../../../clock.ts";
import { BonevalueError } from "../../../errors.ts";
import { type Limits, limitsOf, maxAssemblyBytes } from "../../../limits.ts";
import { helloOf } from "../../../links/hello.ts";
import { noProfile, type Peer } from "../../../peer.ts";
import { createFrameReader } from "../../../wire/frame-reader.ts";
import type { Hello } from "../../../wire/frames.ts";
import { createSendScheduler, type SendScheduler } from "../../../wire/send-scheduler.ts";
import { type CallOptions, call } from "../../call.ts";
import { createDeadlines } from "../../deadlines.ts";
import { type Handler, type Module, moduleOf } from "../../module.ts";
import { createModules, type Offer } from "../../modules.ts";
import { createNotify } from "../../notify.ts";
import type { Replies } from "../../replies.ts";
import { createRpc, type Rpc } from "../../rpc.ts";
import { createCallContext } from "../../testing/call-context.ts";

/** One side of a link. */
export interface End {
  readonly rpc: Rpc;
  readonly scheduler: SendScheduler;
  /** Offers a module. */
  module<M extends Module | string>(module: M, handler: Handler<M>): { withdraw(): void };
  /** Calls the other side. */
  call(module: Module | string, request?: unknown, options?: CallOptions): Replies<any>;
  notify(module: string, request?: unknown): void;
  /** The errors that its app got. */
  readonly errors: readonly BonevalueError[];
  /** The reason why the link ended, for this side. */
  readonly ended: BonevalueError | undefined;
  /** Bytes that were sent and have not arrived. */
  readonly bytesInFlight: number;
}

/** The link and its sides. Times in ms. */
export interface LinkedEndsOptions {
  readonly clock: Clock;
  readonly limits?: Partial<Limits>;
  /** Fields of both hellos that differ from the limits. */
  readonly hello?: Partial<Hello>;
  readonly idleTimeout?: number;
  readonly moduleGrace?: number;
  readonly latency?: number;
  /** Bytes per ms. */
  readonly bandwidth?: number;
}

/** Two sides that have read each other's hello. */
export interface LinkedEnds {
  readonly ann: End;
  readonly bob: End;
  /** Ends the link for both sides. */
  cut(): void;
}

/** Connects two sides by a link without a transport and without a pool. */
export function createLinkedEnds({ limits, ...options }: LinkedEndsOptions): LinkedEnds {
  const defaults = { hello: {}, idleTimeout: 30_000, moduleGrace: 0, latency: 1, bandwidth: Number.POSITIVE_INFINITY };
  const create = (name: string) => createEnd(name, { ...defaults, ...options, limits: limitsOf(limits) });
  const [ann, bob] = [create("ann"), create("bob")];
  ann.connect(bob);
  bob.connect(ann);
  return {
    ann,
    bob,
    cut() {
      const reason = new BonevalueError("disconnected", "The test has cut the link.");
      for (const end of [ann, bob]) end.end(reason);
    },
  };
}

interface ConnectedEnd extends End {
  connect(other: ConnectedEnd): void;
  receive(message: Uint8Array<ArrayBuffer>): void;
  end(reason: BonevalueError): void;
}

const otherPeer: Peer = { id: "other", name: "other", profile: noProfile };

function createEnd(peer: string, options: Required<LinkedEndsOptions> & { readonly limits: Limits }): ConnectedEnd {
  const { clock, limits, hello, idleTimeout, latency, bandwidth } = options;
  const readFrames = createFrameReader(clock, limits);
  const deadlines = createDeadlines(clock);
  const modules = createModules(clock, options.moduleGrace);
  const errors: BonevalueError[] = [];
  let other: ConnectedEnd | undefined;
  let ended: BonevalueError | undefined;
  let bytesInFlight = 0;
  let departs = 0;

  const port = {
    buffered: 0,
    lowMark: 0,
    maxMessage: 262_144,
    send(_channel: string, sent: Uint8Array<ArrayBuffer>) {
      const message = sent.slice();
      port.buffered += message.length;
      bytesInFlight += message.length;
      departs = Math.max(departs, clock.now()) + message.length / bandwidth;
      clock.after(departs - clock.now(), () => {
        port.buffered -= message.length;
        if (port.buffered <= port.lowMark) scheduler.drained();
      });
      clock.after(departs - clock.now() + latency, () => {
        bytesInFlight -= message.length;
        other?.receive(message);
      });
    },
  };
  const scheduler = createSendScheduler(port, { clock });
  const connection = { scheduler, remote: { ...helloOf(peer, limits), ...hello }, verified: true, keepOpen() {} };
  const rpc = createRpc(connection, {
    peer: () => otherPeer,
    modules,
    deadlines,
    limits,
    presence: { isIdle: true, receive() {}, end() {} },
    idleTimeout,
    now: clock.now,
    isAllowed: () => true,
    failed: (error) => errors.push(error),
  });
  const context = createCallContext(
    { ...connection, service: rpc },
    { deadlines, limits, now: clock.now, ended: () => ended },
  );
  const target = [otherPeer];
  const notify = createNotify(context, (error) => errors.push(error));

  function end(reason: BonevalueError): void {
    if (ended) return;
    ended = reason;
    scheduler.close();
    rpc.end(reason, false);
  }

  return {
    rpc,
    scheduler,
    errors,
    module(module, handler) {
      const bare = typeof module === "string";
      const offer = { module: moduleOf(module), handler: handler as Offer["handler"], allow: "*", bare };
      return { withdraw: modules.add(offer) };
    },
    call: (module, request, callOptions) => call(context, target, moduleOf(module), request, callOptions),
    notify: (module, request) => notify(target, moduleOf(module), request, {}),
    get ended() {
      return ended;
    },
    get bytesInFlight() {
      return bytesInFlight;
    },
    connect(end) {
      other = end;
      scheduler.open({ message: 65_536, assembly: maxAssemblyBytes(limits) });
    },
    receive(message) {
      if (ended) return;
      try {
        for (const frame of readFrames("bulk", message)) rpc.receive(frame, "bulk");
      } catch (error) {
        end(error as BonevalueError);
        other?.end(new BonevalueError("disconnected", "The other side has closed the link."));
      }
    },
    end,
  };
}
