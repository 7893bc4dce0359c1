import type { Deadline, Deadlines } from "./deadlines.ts";
import type { InboundCall } from "./inbound-call.ts";
import type { Modules } from "./modules.ts";
import type { Outcome } from "./replies.ts";

/** A request that has been read, on its way to its handler. */
export interface UnpackedRequest {
  readonly call: InboundCall;
  readonly module: string;
  readonly value: Outcome;
  /** In bytes. */
  readonly size: number;
}

/** The requests of one link that wait for modules that are not offered yet. */
export interface DeferredRequests {
  /** Whether a request has to wait for its module, or behind others that do. */
  mustDefer(module: string): boolean;
  /** Keeps a request until its module is offered or the grace has passed. Returns `false` if too much waits. */
  add(request: UnpackedRequest): boolean;
  /** Drops the waiting requests. */
  stop(): void;
}

/** Options of {@link createDeferredRequests}. */
export interface DeferredRequestsOptions {
  readonly modules: Modules;
  readonly deadlines: Deadlines;
  /** Most bytes of all requests that wait. */
  readonly maxBytes: number;
  /** Runs a task in turn with the peer's other requests. */
  enqueue(task: () => Promise<void> | undefined): void;
  /** Starts a request; returns a promise where its schema takes time. */
  start(request: UnpackedRequest): Promise<void> | undefined;
}

// The limits for calls. They are lower than those for messages, which the peer sends within a window.
const maxCalls = 64;
const maxCallBytes = 1_024 * 1_024;

interface Queue {
  readonly requests: UnpackedRequest[];
  undo: (() => void) | undefined;
  deadline: Deadline | undefined;
}

/** Creates an empty list. Requests for one module start in the order in which they arrived. */
export function createDeferredRequests({
  modules,
  deadlines,
  maxBytes,
  enqueue,
  start,
}: DeferredRequestsOptions): DeferredRequests {
  const queues = new Map<string, Queue>();
  let calls = 0;
  let bytes = 0;

  function isAwaited(module: string): boolean {
    return !modules.get(module) && modules.graceLeft(module) > 0;
  }

  function wait(module: string, queue: Queue): void {
    const onChange = () => {
      queue.undo?.();
      deadlines.stop(queue.deadline);
      enqueue(() => resume(module, queue));
    };
    queue.undo = modules.whenOffered(module, onChange);
    queue.deadline = deadlines.after(modules.graceLeft(module), onChange);
  }

  function resume(module: string, queue: Queue): Promise<void> | undefined {
    for (let next = queue.requests[0]; next; next = queue.requests[0]) {
      // The module was withdrawn again.
      if (isAwaited(module)) return void wait(module, queue);
      queue.requests.shift();
      bytes -= next.size;
      if (next.call.id > 0) calls--;
      const checked = start(next);
      if (checked) return checked.then(() => resume(module, queue));
    }
    queues.delete(module);
    return undefined;
  }

  return {
    mustDefer: (module) => queues.has(module) || isAwaited(module),
    add(request) {
      const { call, module, size } = request;
      const isCall = call.id > 0;
      if (isCall && calls >= maxCalls) return false;
      if (bytes + size > (isCall ? maxCallBytes : maxBytes)) return false;
      bytes += size;
      if (isCall) calls++;
      const queue = queues.get(module);
      if (queue) queue.requests.push(request);
      else {
        const first: Queue = { requests: [request], undo: undefined, deadline: undefined };
        queues.set(module, first);
        wait(module, first);
      }
      return true;
    },
    stop() {
      for (const { undo, deadline } of queues.values()) {
        undo?.();
        deadlines.stop(deadline);
      }
    },
  };
}
