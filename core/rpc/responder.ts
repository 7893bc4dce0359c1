import { BonevalueError } from "../errors.ts";
import type { Peer } from "../peer.ts";
import type { Query } from "../peers/query.ts";
import type { Packed, Received } from "../wire/codec.ts";
import { type Frame, Kind } from "../wire/frames.ts";
import type { Send } from "./caller.ts";
import type { Deadlines } from "./deadlines.ts";
import { createIncoming, type Ending, type Incoming } from "./incoming.ts";
import type { Modules, Offer } from "./modules.ts";
import { thrownError } from "./thrown-error.ts";
import { validate } from "./validate.ts";

/** What a {@link Responder} needs of the client and of the link. */
export interface ResponderOptions {
  readonly peer: Peer;
  readonly modules: Modules;
  readonly deadlines: Deadlines;
  /** Calls, and one-way messages, handled at once. */
  readonly capacity: number;
  /** Whether our peer is among those that a module is offered to. */
  isAllowed(allow: Query): boolean;
  readonly send: Send;
  pack(value: unknown): Packed;
  unpack(value: Received): unknown;
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
  readonly [typeof Kind.call | typeof Kind.tell | typeof Kind.cancel, ...unknown[]]
>;

/** Runs a handler for each request that arrives, in the order in which the requests were made. */
export function createResponder(options: ResponderOptions): Responder {
  const { peer, modules, deadlines, capacity, isAllowed, send, pack, unpack } = options;
  const calls = new Map<number, Incoming>();
  const tells = new Set<Incoming>();
  const inTurn = createTurns();

  function receiveCall(id: number, name: string, request: Received, remaining: number | null): void {
    if (calls.has(id)) throw new BonevalueError("protocol", `The peer used the call id ${id} twice.`);
    const call = createIncoming(peer, (ending) => {
      calls.delete(id);
      forget();
      if (!ending) return;
      const frame = answer(id, ending);
      send(() => frame);
    });
    const forget = deadlines.after(remaining ?? Number.POSITIVE_INFINITY, () =>
      call.abort(new BonevalueError("timeout", "The caller's deadline has passed.")),
    );
    const full = calls.size >= capacity;
    calls.set(id, call);
    const value = unpack(request);
    const refuse = (thrown: unknown) => call.end({ thrown });
    if (full) refuse(new BonevalueError("busy", "The peer handles too many calls at once; try later."));
    else inTurn(() => start(call, name, value, refuse));
  }

  /** One that cannot be handled is dropped: its sender waits for nothing. */
  function receiveTell(name: string, request: Received): void {
    if (tells.size >= capacity) return;
    const tell = createIncoming(peer, (ending) => {
      tells.delete(tell);
      if (ending && "thrown" in ending) options.failed(thrownError(ending.thrown));
    });
    tells.add(tell);
    const value = unpack(request);
    inTurn(() => start(tell, name, value, () => tells.delete(tell)));
  }

  function cancel(id: number, code: string): void {
    calls
      .get(id)
      ?.abort(new BonevalueError(code === "timeout" ? code : "cancelled", "The caller has given the call up."));
  }

  /** Returns a promise where the module's schema takes its time. */
  function start(
    call: Incoming,
    name: string,
    value: unknown,
    refuse: (error: unknown) => void,
  ): Promise<void> | undefined {
    try {
      const offer = permitted(name);
      const request = validate(offer.module.request, value, "invalid-request");
      if (request instanceof Promise) return request.then((value) => run(call, offer, value), refuse);
      run(call, offer, request);
    } catch (error) {
      refuse(error);
    }
    return undefined;
  }

  function permitted(name: string): Offer {
    const offer = modules.get(name);
    if (!offer) throw new BonevalueError("unknown-module", `The peer offers no module named "${name}".`);
    if (!isAllowed(offer.allow)) throw new BonevalueError("forbidden", `The peer does not offer "${name}" to us.`);
    return offer;
  }

  function answer(id: number, ending: Ending): Frame<Packed> {
    if ("thrown" in ending) return failure(id, thrownError(ending.thrown));
    try {
      return [Kind.answer, id, pack(ending.value)];
    } catch (error) {
      return failure(id, new BonevalueError("invalid-response", thrownError(error).message));
    }
  }

  function failure(id: number, { code, message, data }: BonevalueError): Frame<Packed> {
    if (data === undefined) return [Kind.fail, id, code, message];
    try {
      return [Kind.fail, id, code, message, pack(data)];
    } catch {
      // What cannot cross stays here; the code and the message say enough.
      return [Kind.fail, id, code, message];
    }
  }

  return {
    get open() {
      return calls.size;
    },
    receive(frame) {
      if (frame[0] === Kind.call) receiveCall(frame[1], frame[2], frame[3], frame[4]);
      else if (frame[0] === Kind.tell) receiveTell(frame[2], frame[3]);
      else cancel(frame[1], frame[2]);
    },
    end(reason) {
      for (const request of [...calls.values(), ...tells]) request.abort(reason);
    },
  };
}

function run(call: Incoming, { handler, bare }: Offer, request: unknown): void {
  if (call.isOver) return;
  const threw = (thrown: unknown) => call.end({ thrown });
  // Under a bare name, nothing means that the callback will be used.
  const returned = (value: unknown) => {
    if (value !== undefined || !bare) call.end({ value });
  };
  try {
    const result = handler(call.exchange(request));
    if (isThenable(result)) result.then(returned, threw);
    else returned(result);
  } catch (error) {
    threw(error);
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as PromiseLike<unknown> | undefined)?.then === "function";
}

/** Starts one task after the other, at once while none takes its time. */
function createTurns(): (task: () => Promise<void> | undefined) => void {
  let last: Promise<void> | undefined;
  return (task) => {
    const mine = last ? last.then(task) : task();
    last = mine;
    mine?.then(() => {
      if (last === mine) last = undefined;
    });
  };
}
