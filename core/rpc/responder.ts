import { BonevalueError } from "../errors.ts";
import { createIdMap } from "../id-map.ts";
import type { Peer } from "../peer.ts";
import type { Query } from "../peers/query.ts";
import type { Received } from "../wire/codec.ts";
import { protocolError } from "../wire/protocol-error.ts";
import { type AnswerContext, answer, fail } from "./answer.ts";
import type { Deadlines } from "./deadlines.ts";
import { createDeferredRequests, type UnpackedRequest } from "./deferred-requests.ts";
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
import type { Receipts } from "./receipts.ts";
import { discardValue } from "./streams/answer-payload.ts";
import { createThrottle } from "./throttle.ts";
import { unpackPayload } from "./unpack-payload.ts";
import { isThenable, validateThen } from "./validate.ts";
import { countOf, longestMessage, thrownError } from "./wire-errors.ts";

/** Options of {@link createResponder}. */
export interface ResponderOptions extends AnswerContext {
  peer(): Peer;
  readonly modules: Modules;
  readonly deadlines: Deadlines;
  readonly receipts: Receipts;
  /** Whether a module is offered to the peer. */
  isAllowed(allow: Query): boolean;
  /** Whether the peer's identity is certain. */
  isVerified(): boolean;
  /** Called with errors that no caller gets, and with the faults of this page. */
  failed(error: BonevalueError): void;
}

/** The peer's requests on one link. */
export interface Responder {
  /** How many calls and messages are not handled yet. */
  readonly open: number;
  receiveCall(id: number, module: string, request: Received, remaining: number | null): void;
  receiveMessage(module: string, request: Received, isLossy: boolean): void;
  receiveCancel(id: number, code: string): void;
  /** The link is over: aborts the handlers that still run. */
  end(reason: BonevalueError): void;
}

// As long as a call has by default, in ms. A message has no deadline of its own, but the requests behind it wait for its
// schema, and the sender waits until its handler has settled.
const messageTimeoutMs = 30_000;

/** Runs a handler for each request that arrives. The handlers start in the order of the requests. */
export function createResponder(options: ResponderOptions): Responder {
  const { peer, modules, deadlines, limits, streams, receipts, isAllowed, isVerified, failed } = options;
  const capacity = limits.requestsPerPeer;
  const calls = createIdMap<InboundCall>();
  const messages = new Set<InboundCall>();
  const enqueue = createSerialQueue();
  const deferred = createDeferredRequests({ modules, deadlines, maxBytes: limits.bytesPerPeer, enqueue, start });
  const contractErrors = createThrottle<BonevalueError>(deadlines, (module, { code, message, data, cause }, count) => {
    const text = `Refused ${countOf(count, "request")} of "${peer().name}" to "${module}": ${message}`;
    failed(new BonevalueError(code, text.slice(0, longestMessage), { data, cause }));
  });

  const link: InboundLink = {
    peer,
    isVerified,
    streams,
    onOver(call, ending) {
      deadlines.stop(call.deadline);
      if (call.id === 0) return onMessageOver(call, ending);
      calls.delete(call.id);
      if (!ending) return;
      if ("thrown" in ending && !(ending.thrown instanceof BonevalueError)) failed(thrownError(ending.thrown));
      receipts.join();
      answer(call, ending, options);
    },
    onCredit({ id, deadline }) {
      if (deadline && id > 0) deadlines.renew(deadline);
    },
  };

  function onMessageOver(message: InboundCall, ending: Ending | undefined): void {
    messages.delete(message);
    onHandled(message);
    if (!ending) return;
    if ("thrown" in ending) failed(thrownError(ending.thrown));
    else discardValue(ending.value);
  }

  function onHandled(message: InboundCall): void {
    if (!message.isUnacknowledged) return;
    message.isUnacknowledged = false;
    receipts.onHandled();
  }

  function receiveCall(id: number, module: string, request: Received, remaining: number | null): void {
    if (calls.get(id)) throw protocolError("an unexpected frame");
    if (calls.size >= capacity) {
      streams.refuse(request);
      fail(id, new BonevalueError("busy", "The peer handles too many calls at once. Try again later."), options);
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

  function receiveMessage(module: string, request: Received, isLossy: boolean): void {
    if (!isLossy) receipts.onReceived();
    // No window limits lossy messages, and those of an older version: they are dropped while too many run.
    if (isLossy ? messages.size >= capacity : receipts.unhandled > capacity) {
      streams.refuse(request);
      if (!isLossy) receipts.onHandled();
      return;
    }
    const message = createInboundCall(link, 0);
    message.isUnacknowledged = !isLossy;
    messages.add(message);
    handle(message, module, request);
  }

  function handle(call: InboundCall, module: string, request: Received): void {
    const value = unpackPayload(request, (kind, detail) => groupOf(call).receive(kind, detail));
    enqueue(() => admit({ call, module, value, size: request.size }));
  }

  function admit(request: UnpackedRequest): Promise<void> | undefined {
    const { call, module } = request;
    const mayWait = !call.isOver && (call.id > 0 || call.isUnacknowledged);
    return mayWait && deferred.mustDefer(module) && deferred.add(request) ? undefined : start(request);
  }

  /** Returns a promise while the module's schema checks the request. It resolves at the latest when the call is over. */
  function start({ call, module, value }: UnpackedRequest): Promise<void> | undefined {
    if (call.isOver) return undefined;
    try {
      if ("error" in value) throw value.error;
      const offer = offerOf(module);
      const checked = validateThen(
        offer.module.request,
        value.value,
        "invalid-request",
        (request) => run(call, offer, request),
        (thrown) => {
          contractErrors.add(module, thrownError(thrown));
          refuse(call, module, thrown);
        },
      );
      if (call.isUnacknowledged) limitTime(call, module);
      return checked && untilOver(call, checked);
    } catch (thrown) {
      refuse(call, module, thrown);
      return undefined;
    }
  }

  /** Only the sender learns of it, since it may send anything. */
  function refuse(call: InboundCall, module: string, thrown: unknown): void {
    if (call.id > 0) end(call, { thrown });
    else {
      const error = thrownError(thrown);
      if (call.isUnacknowledged) receipts.refuse(module, error);
      abortWithStreams(call, error);
    }
  }

  function run(call: InboundCall, { handler, bare }: Offer, request: unknown): void {
    if (call.isOver) return;
    const threw = (thrown: unknown) => end(call, { thrown });
    // Under a bare name, no value means that the handler will use the callback. A message does not wait for it.
    const returned = (value: unknown) => {
      if (value !== undefined || !bare || call.id === 0) end(call, { value });
    };
    try {
      const result = handler(contextOf(call, request, bare));
      call.isRunning = true;
      if (isThenable(result)) result.then(returned, threw);
      else returned(result);
    } catch (error) {
      threw(error);
    }
  }

  /** A message whose schema takes too long is dropped. One whose handler takes long is acknowledged. */
  function limitTime(message: InboundCall, module: string): void {
    message.deadline = deadlines.after(messageTimeoutMs, () => {
      if (message.isRunning) onHandled(message);
      else end(message, { thrown: checkTimeoutError(module) });
    });
  }

  function offerOf(module: string): Offer {
    const offer = modules.get(module);
    if (!offer)
      throw new BonevalueError(
        "unknown-module",
        `The peer offers no module named "${module}". Check the name, or call again later.`,
      );
    if (!isAllowed(offer.allow))
      throw new BonevalueError(
        "forbidden",
        `The peer does not offer "${module}" to this user. Its app decides who may call (\`allow\`).`,
      );
    if (offer.verified && !isVerified()) throw notVerified(module);
    return offer;
  }

  return {
    get open() {
      return calls.size + receipts.unhandled;
    },
    receiveCall,
    receiveMessage,
    receiveCancel(id, code) {
      const call = calls.get(id);
      const reason = code === "timeout" ? code : "cancelled";
      if (call) abortWithStreams(call, new BonevalueError(reason, "The caller has ended the call."));
    },
    end(reason) {
      for (const id of calls.ids()) {
        const call = calls.get(id);
        if (call) abortWithStreams(call, reason);
      }
      for (const message of messages) abortWithStreams(message, reason);
      deferred.stop();
      contractErrors.stop();
    },
  };
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

function notVerified(module: string): BonevalueError {
  return new BonevalueError(
    "forbidden",
    `The peer offers "${module}" to verified users only: verify each other with a token.`,
  );
}

function checkTimeoutError(module: string): BonevalueError {
  const message = `The contract of "${module}" has not checked a message within ${messageTimeoutMs} ms.`;
  return new BonevalueError("timeout", message);
}
