import { BonevalueError } from "../errors.ts";
import type { Peer } from "../peer.ts";
import { createIncomingRequest, type Ending, type IncomingRequest } from "./incoming-request.ts";
import { createStreamGroup, type StreamGroup } from "./streams/stream-group.ts";
import type { Streams } from "./streams/streams.ts";
import { thrownError } from "./thrown-error.ts";

/** A request with its streams, and those of its answer. */
export interface IncomingExchange {
  readonly request: IncomingRequest;
  /** Made when it is needed: most exchanges have no stream. */
  group(): StreamGroup;
  /** Tells the handler, and ends the streams. */
  abort(reason: BonevalueError): void;
}

/** What is told of an exchange. */
export interface IncomingExchangeEvents {
  /** How the request ended, or nothing when it was aborted. */
  over(ending: Ending | undefined): void;
  /** Its streams have moved on. */
  granted?(): void;
}

/**
 * An exchange with `peer`, whose streams outlive its answer: the handler's signal aborts when the answer's are ended by
 * something else than themselves. Those of the request that nobody takes end with the answer and its streams, since a
 * generator reads the request while it makes the answer; all of them when the handler throws.
 */
export function createIncomingExchange(peer: Peer, streams: Streams, events: IncomingExchangeEvents): IncomingExchange {
  let group: StreamGroup | undefined;
  const request = createIncomingRequest(peer, (ending) => {
    events.over(ending);
    if (ending && "thrown" in ending) group?.end(thrownError(ending.thrown));
    else if (ending && !group?.isSending) group?.cancelUnclaimed(notTaken());
  });
  return {
    request,
    group() {
      group ??= createStreamGroup(streams, {
        sends: "invalid-response",
        receives: "invalid-request",
        granted: events.granted,
        sent(ended) {
          if (ended) request.abort(ended);
          group?.cancelUnclaimed(notTaken());
        },
      });
      return group;
    },
    abort(reason) {
      request.abort(reason);
      group?.end(reason);
    },
  };
}

function notTaken(): BonevalueError {
  return new BonevalueError("cancelled", "The call was answered, and nobody has taken the stream.");
}
