import { BonevalueError } from "../errors.ts";
import { createIdMap } from "../id-map.ts";
import type { Limits } from "../limits.ts";
import type { Peer } from "../peer.ts";
import type { Query } from "../peers/query.ts";
import type { Received } from "../wire/codec.ts";
import { type Frame, Kind } from "../wire/frames.ts";
import type { SendScheduler } from "../wire/send-scheduler.ts";
import { answer, fail } from "./answer.ts";
import type { Deadlines } from "./deadlines.ts";
import { createIncomingExchange, type IncomingExchange } from "./incoming-exchange.ts";
import type { IncomingRequest } from "./incoming-request.ts";
import type { Modules, Offer } from "./modules.ts";
import { createRenewable, type Renewable } from "./renewable.ts";
import type { Outcome } from "./replies.ts";
import { createSerialQueue } from "./serial-queue.ts";
import { discardValue } from "./streams/payload.ts";
import type { Streams } from "./streams/streams.ts";
import { isThenable } from "./thenable.ts";
import { thrownError } from "./thrown-error.ts";
import { unpack } from "./unpack.ts";
import { check } from "./validate.ts";

/** What a {@link Responder} needs of the client and of the link. */
export interface ResponderOptions {
  readonly peer: Peer;
  readonly modules: Modules;
  readonly deadlines: Deadlines;
  readonly limits: Limits;
  readonly scheduler: Pick<SendScheduler, "send" | "bulk">;
  readonly streams: Streams;
  /** The clock's time. */
  now(): number;
  /** Whether our peer is among those that a module is offered to. */
  isAllowed(allow: Query): boolean;
  /** Told what a handler threw where no caller waits to hear of it. */
  failed(error: BonevalueError): void;
}

/** The other side's requests on one link. */
export interface Responder {
  /** How many calls we have not answered. */
  readonly open: number;
  receive(frame: Request): void;
  /** The link is over: handlers that still work learn why. */
  end(reason: BonevalueError): void;
}

/** The frames that ask something of us. */
export type Request = Extract<
  Frame<Received>,
  readonly [typeof Kind.call | typeof Kind.notify | typeof Kind.cancel, ...unknown[]]
>;

// As long as a call has by default: a message has no deadline of its own, and those behind it wait.
const longestCheck = 30_000;

/** Runs a handler for each request that arrives, in the order in which the requests were made. */
export function createResponder(options: ResponderOptions): Responder {
  const { peer, modules, deadlines, limits, streams, now, isAllowed } = options;
  const capacity = limits.requestsPerPeer;
  const calls = createIdMap<IncomingExchange>();
  const tells = new Set<IncomingExchange>();
  const inTurn = createSerialQueue();

  function receiveCall(id: number, name: string, value: Received, remaining: number | null): void {
    if (calls.get(id)) throw new BonevalueError("protocol", `The peer used the call id ${id} twice.`);
    if (calls.size >= capacity) {
      streams.refuse(value);
      fail(id, new BonevalueError("busy", "The peer handles too many calls at once; try later."), options);
      return;
    }
    let deadline: Renewable | undefined;
    const call = createIncomingExchange(peer, streams, {
      over(ending) {
        calls.delete(id);
        deadline?.stop();
        if (ending) answer(id, ending, call.group, options);
      },
      granted: () => deadline?.renew(),
    });
    calls.add(id, call);
    handle(call, name, value, true);
    // Most handlers have answered by now.
    if (remaining === null || call.request.isOver()) return;
    deadline = createRenewable(deadlines, now, remaining, () =>
      call.abort(new BonevalueError("timeout", "The caller's deadline has passed.")),
    );
  }

  /** One that cannot be handled is dropped: its sender waits for nothing. */
  function receiveTell(name: string, value: Received): void {
    if (tells.size >= capacity) {
      streams.refuse(value);
      return;
    }
    const tell = createIncomingExchange(peer, streams, {
      over(ending) {
        tells.delete(tell);
        if (!ending) return;
        if ("thrown" in ending) options.failed(thrownError(ending.thrown));
        else discardValue(ending.value);
      },
    });
    tells.add(tell);
    handle(tell, name, value, false);
  }

  function cancel(id: number, code: string): void {
    const reason = new BonevalueError(code === "timeout" ? code : "cancelled", "The caller has given the call up.");
    calls.get(id)?.abort(reason);
  }

  function handle(exchange: IncomingExchange, name: string, value: Received, awaited: boolean): void {
    const request = unpack(value, (kind, detail) => exchange.group().receive(kind, detail));
    inTurn(() => start(exchange, name, request, awaited));
  }

  /** Returns a promise where the module's schema takes its time: the next waits for it, but not beyond this one's end. */
  function start(
    { request: call, abort }: IncomingExchange,
    name: string,
    received: Outcome,
    awaited: boolean,
  ): Promise<void> | undefined {
    if (call.isOver()) return undefined;
    const refuse = (thrown: unknown) => call.end({ thrown });
    try {
      if ("error" in received) throw received.error;
      const offer = permitted(name);
      const accept = (request: unknown) => run(call, offer, request, awaited);
      const checked = check(offer.module.request, received.value, "invalid-request", accept, refuse);
      const turn = checked && call.until(checked);
      if (!awaited) turn?.then(deadlines.after(longestCheck, () => call.end({ thrown: unchecked(name) })));
      return turn;
    } catch (error) {
      // Who only tells may ask for what is not there: that is neither theirs to hear nor our app's.
      if (awaited) refuse(error);
      else abort(thrownError(error));
      return undefined;
    }
  }

  function permitted(name: string): Offer {
    const offer = modules.get(name);
    if (!offer) throw new BonevalueError("unknown-module", `The peer offers no module named "${name}".`);
    if (!isAllowed(offer.allow)) throw new BonevalueError("forbidden", `The peer does not offer "${name}" to us.`);
    return offer;
  }

  return {
    get open() {
      return calls.size;
    },
    receive(frame) {
      if (frame[0] === Kind.call) receiveCall(frame[1], frame[2], frame[3], frame[4]);
      else if (frame[0] === Kind.notify) receiveTell(frame[2], frame[3]);
      else cancel(frame[1], frame[2]);
    },
    end(reason) {
      for (const id of calls.ids()) calls.get(id)?.abort(reason);
      for (const exchange of [...tells]) exchange.abort(reason);
    },
  };
}

function run(call: IncomingRequest, { handler, bare }: Offer, request: unknown, awaited: boolean): void {
  if (call.isOver()) return;
  const threw = (thrown: unknown) => call.end({ thrown });
  // Under a bare name, nothing means that the callback will be used: but not where nobody waits for it.
  const returned = (value: unknown) => {
    if (value !== undefined || !bare || !awaited) call.end({ value });
  };
  try {
    const result = handler(call.exchange(request));
    if (isThenable(result)) result.then(returned, threw);
    else returned(result);
  } catch (error) {
    threw(error);
  }
}

function unchecked(name: string): BonevalueError {
  const message = `The contract of "${name}" has not checked a message within ${longestCheck} ms, so it was dropped.`;
  return new BonevalueError("timeout", message);
}
