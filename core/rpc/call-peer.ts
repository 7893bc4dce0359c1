import { BonevalueError } from "../errors.ts";
import { guard } from "../events.ts";
import type { Limits } from "../limits.ts";
import type { Connection } from "../links/connection.ts";
import type { Pool } from "../links/pool.ts";
import type { Peer } from "../peer.ts";
import type { Received } from "../wire/codec.ts";
import type { AttachmentReceiver } from "../wire/deserialize.ts";
import type { OngoingCall } from "./caller.ts";
import type { Deadlines } from "./deadlines.ts";
import type { Module } from "./module.ts";
import { createRenewable } from "./renewable.ts";
import type { Outcome } from "./replies.ts";
import type { Rpc } from "./rpc.ts";
import { discard, isShared, type Payload, totalFileSize } from "./streams/payload.ts";
import { thrownError } from "./thrown-error.ts";
import { unpack } from "./unpack.ts";
import { check } from "./validate.ts";

/** What calls need of their client. */
export interface CallContext {
  readonly pool: Pool<Rpc>;
  readonly deadlines: Deadlines;
  readonly limits: Limits;
  /** The clock's time. */
  now(): number;
  /** For how long a link is kept after a reply, in ms. */
  keepOpenMs(keepAlive: boolean | undefined): number;
  /** Why `peer` cannot be called now, if it cannot. */
  refusal(peer: Peer): BonevalueError | undefined;
  /** Why there is nobody to call. */
  noPeersError(): BonevalueError;
}

/** How much of a request's streams and files one peer has read, in bytes. */
export interface Progress {
  readonly peer: Peer;
  readonly sent: number;
  /** Known where the request carries files alone. */
  readonly total?: number | undefined;
}

/** What one peer is asked, and who is told of its reply. */
export interface PeerCall {
  readonly peer: Peer;
  readonly module: Module;
  readonly payload: Payload;
  /** In ms. */
  readonly timeout: number;
  readonly keepAlive: boolean | undefined;
  readonly onProgress: ((progress: Progress) => void) | undefined;
  settle(outcome: Outcome): void;
  /** The last stream of the call is over. */
  rested(): void;
}

/** Asks one peer, over a link that is dialed where there is none. */
export function callPeer(
  { pool, deadlines, now, keepOpenMs }: CallContext,
  { peer, module, payload, timeout, keepAlive, onProgress, settle, rested }: PeerCall,
): OngoingCall {
  const begun = now();
  const deadline = createRenewable(deadlines, now, timeout, () => finish({ error: tooLate(timeout) }));
  const total = totalFileSize(payload);
  let call: OngoingCall | undefined;
  let waitsForLink = true;
  let undo: (() => void) | undefined;
  let sent = 0;

  function finish(outcome: Outcome): void {
    if ("error" in outcome) end(outcome.error);
    else deadline.stop();
    settle(outcome);
  }

  function end(reason: BonevalueError): void {
    deadline.stop();
    call?.end(reason);
    if (!waitsForLink) return;
    waitsForLink = false;
    undo?.();
    discard(payload, reason);
  }

  function acknowledged(bytes: number): void {
    deadline.renew();
    sent += bytes;
    if (onProgress) guard(() => onProgress(Object.freeze({ peer, sent, total })));
  }

  function begin({ service, keepOpen }: Connection<Rpc>): void {
    waitsForLink = false;
    const keep = () => keepOpen(keepOpenMs(keepAlive));
    call = service.call({
      module: module.name,
      payload,
      remaining: () => (Number.isFinite(timeout) ? Math.max(0, Math.round(begun + timeout - now())) : null),
      acknowledged: payload.streams.length > 0 ? acknowledged : undefined,
      answered(value, receive) {
        read(value, receive, module, finish);
        keep();
      },
      failed(error, data) {
        keep();
        finish({ error: data ? withData(error, unpackFor(finish, data)) : error });
      },
      over() {
        keep();
        rested();
      },
    });
    keep();
  }

  undo = pool.whenOpen(peer.id, {
    failFast: isShared(payload),
    begin,
    fail(error) {
      undo = undefined;
      finish({ error });
    },
  });
  return {
    isOpen: () => waitsForLink || call?.isOpen() === true,
    end,
  };
}

function read(packed: Received, receive: AttachmentReceiver, module: Module, finish: (outcome: Outcome) => void): void {
  const answer = unpackFor(finish, packed, receive);
  const accept = (value: unknown) => finish({ value });
  const refuse = (error: unknown) => finish({ error: thrownError(error) });
  if ("error" in answer) finish(answer);
  else check(module.response, answer.value, "invalid-response", accept, refuse);
}

/** Finishes, and throws, too, where the value is malformed: that is the link's end, which looks for this call in vain. */
function unpackFor(finish: (outcome: Outcome) => void, packed: Received, receive?: AttachmentReceiver): Outcome {
  try {
    return unpack(packed, receive);
  } catch (error) {
    finish({ error: thrownError(error) });
    throw error;
  }
}

function withData({ code, message }: BonevalueError, data: Outcome): BonevalueError {
  return new BonevalueError(code, message, "value" in data ? { data: data.value } : {});
}

function tooLate(timeout: number): BonevalueError {
  return new BonevalueError("timeout", `No reply within ${timeout} ms; ask for less, or give the call more time.`);
}
