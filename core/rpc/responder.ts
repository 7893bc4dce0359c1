import { BonevalueError } from "../errors.ts";
import { createIdMap } from "../id-map.ts";
import type { Peer } from "../peer.ts";
import type { Query } from "../peers/query.ts";
import type { Received } from "../wire/codec.ts";
import { protocolError } from "../wire/protocol-error.ts";
import { type Answering, answer, fail } from "./answer.ts";
import type { Deadlines } from "./deadlines.ts";
import {
  abortWithStreams,
  contextOf,
  createInboundCall,
  type Ending,
  end,
  groupOf,
  type InboundCall,
  type InboundLink,
  untilOver,
} from "./inbound-call.ts";
import type { Modules, Offer } from "./modules.ts";
import type { Outcome } from "./replies.ts";
import { discardValue, unpackPayload } from "./streams/payload.ts";
import { check, isThenable } from "./validate.ts";
import { thrownError } from "./wire-errors.ts";

/** What is handed in. */
export interface ResponderOptions extends Answering {
  readonly peer: Peer;
  readonly modules: Modules;
  readonly deadlines: Deadlines;
  /** Whether the peer is among those that a module is offered to. */
  isAllowed(allow: Query): boolean;
  /** Called with errors that no caller is told. */
  failed(error: BonevalueError): void;
}

/** The peer's requests on one link. */
export interface Responder {
  /** How many calls are not answered yet. */
  readonly open: number;
  receiveCall(id: number, module: string, request: Received, remaining: number | null): void;
  receiveMessage(module: string, request: Received): void;
  receiveCancel(id: number, code: string): void;
  /** The link is over: aborts the handlers that still run. */
  end(reason: BonevalueError): void;
}

// A message has no deadline of its own, and the requests behind it wait for its schema. So it gets a call's default, in ms.
const checkTimeoutMs = 30_000;

/** Runs a handler for each request that arrives, in the order in which the requests were made. */
export function createResponder(options: ResponderOptions): Responder {
  const { peer, modules, deadlines, limits, streams, isAllowed } = options;
  const capacity = limits.requestsPerPeer;
  const calls = createIdMap<InboundCall>();
  const messages = new Set<InboundCall>();
  const enqueue = createSerialQueue();

  const link: InboundLink = {
    peer,
    streams,
    onOver(call, ending) {
      if (call.id === 0) return onMessageOver(call, ending);
      calls.delete(call.id);
      deadlines.stop(call.deadline);
      if (ending) answer(call, ending, options);
    },
    onCredit({ deadline }) {
      if (deadline) deadlines.renew(deadline);
    },
  };

  function onMessageOver(message: InboundCall, ending: Ending | undefined): void {
    messages.delete(message);
    if (!ending) return;
    if ("thrown" in ending) options.failed(thrownError(ending.thrown));
    else discardValue(ending.value);
  }

  function receiveCall(id: number, module: string, request: Received, remaining: number | null): void {
    if (calls.get(id)) throw protocolError(`the call id ${id} twice`);
    if (calls.size >= capacity) {
      streams.refuse(request);
      fail(id, new BonevalueError("busy", "The peer handles too many calls at once; try later."), options);
      return;
    }
    const call = createInboundCall(link, id);
    calls.add(id, call);
    handle(call, module, request);
    // Most handlers have answered by now.
    if (remaining === null || call.isOver) return;
    call.deadline = deadlines.after(remaining, () =>
      abortWithStreams(call, new BonevalueError("timeout", "The caller's deadline has passed.")),
    );
  }

  /** A message that cannot be handled is dropped. */
  function receiveMessage(module: string, request: Received): void {
    if (messages.size >= capacity) {
      streams.refuse(request);
      return;
    }
    const message = createInboundCall(link, 0);
    messages.add(message);
    handle(message, module, request);
  }

  function handle(call: InboundCall, module: string, request: Received): void {
    const value = unpackPayload(request, (kind, detail) => groupOf(call).receive(kind, detail));
    enqueue(() => start(call, module, value));
  }

  /** Returns a promise while the module's schema checks the request. It resolves at the latest when the call is over. */
  function start(call: InboundCall, module: string, request: Outcome): Promise<void> | undefined {
    if (call.isOver) return undefined;
    try {
      if ("error" in request) throw request.error;
      const offer = offerOf(module);
      const checked = check(
        offer.module.request,
        request.value,
        "invalid-request",
        (value) => run(call, offer, value),
        (thrown) => end(call, { thrown }),
      );
      const over = checked && untilOver(call, checked);
      if (over && call.id === 0) limitCheck(call, module, over);
      return over;
    } catch (thrown) {
      if (call.id > 0) end(call, { thrown });
      else abortWithStreams(call, thrownError(thrown));
      return undefined;
    }
  }

  function limitCheck(message: InboundCall, module: string, over: Promise<void>): void {
    const deadline = deadlines.after(checkTimeoutMs, () => end(message, { thrown: checkTimeoutError(module) }));
    over.then(() => deadlines.stop(deadline));
  }

  function offerOf(module: string): Offer {
    const offer = modules.get(module);
    if (!offer) throw new BonevalueError("unknown-module", `The peer offers no module named "${module}".`);
    if (!isAllowed(offer.allow)) throw new BonevalueError("forbidden", `The peer does not offer "${module}" to us.`);
    return offer;
  }

  return {
    get open() {
      return calls.size;
    },
    receiveCall,
    receiveMessage,
    receiveCancel(id, code) {
      const call = calls.get(id);
      const reason = code === "timeout" ? code : "cancelled";
      if (call) abortWithStreams(call, new BonevalueError(reason, "The caller has given the call up."));
    },
    end(reason) {
      for (const id of calls.ids()) {
        const call = calls.get(id);
        if (call) abortWithStreams(call, reason);
      }
      for (const message of [...messages]) abortWithStreams(message, reason);
    },
  };
}

function run(call: InboundCall, { handler, bare }: Offer, request: unknown): void {
  if (call.isOver) return;
  const threw = (thrown: unknown) => end(call, { thrown });
  // Under a bare name, no value means that the handler will use the callback. Nobody waits for that of a message.
  const returned = (value: unknown) => {
    if (value !== undefined || !bare || call.id === 0) end(call, { value });
  };
  try {
    const result = handler(contextOf(call, request, bare));
    if (isThenable(result)) result.then(returned, threw);
    else returned(result);
  } catch (error) {
    threw(error);
  }
}

/** Creates a queue that starts one task after the other: at once while none returns a promise. */
function createSerialQueue(): (task: () => Promise<void> | undefined) => void {
  let last: Promise<void> | undefined;
  return (task) => {
    const current = last ? last.then(task) : task();
    last = current;
    current?.then(() => {
      if (last === current) last = undefined;
    });
  };
}

function checkTimeoutError(module: string): BonevalueError {
  const message = `The contract of "${module}" has not checked a message within ${checkTimeoutMs} ms, so it was dropped.`;
  return new BonevalueError("timeout", message);
}
