import { BonevalueError } from "../errors.ts";
import type { Limits } from "../limits.ts";
import type { Connection, Service } from "../links/connection.ts";
import type { Pool } from "../links/pool.ts";
import type { Peer } from "../peer.ts";
import type { Deadline, Deadlines } from "./deadlines.ts";
import type { Module } from "./module.ts";
import type { Outcome } from "./replies.ts";
import { discard, isShared, type Payload } from "./streams/payload.ts";
import type { StreamGroup } from "./streams/stream-group.ts";

/** The client, as its calls see it. */
export interface CallContext {
  readonly pool: Pool<CallSender>;
  readonly deadlines: Deadlines;
  readonly limits: Limits;
  /** The clock's time, in ms. */
  now(): number;
  /** How long a link stays open after a reply, in ms. */
  keepOpenMs(keepAlive: boolean | undefined): number;
  /** Why `peer` cannot be called now, if it cannot. */
  refusal(peer: Peer): BonevalueError | undefined;
  /** The error of a call whose query matches no peer. */
  noPeersError(): BonevalueError;
}

/** The part of a link's service that sends calls. */
export interface CallSender extends Service {
  /** Sends the request of a queued call. */
  send(call: PeerCall): void;
  /** Takes back the request of a call, if it was sent and has no reply yet. */
  cancel(call: PeerCall, reason: BonevalueError): void;
}

/** How much of a request's streams and files one peer has read, in bytes. */
export interface Progress {
  /** The peer that reads. */
  readonly peer: Peer;
  /** The bytes of streams and files that it has read. */
  readonly sent: number;
  /** Known when the request carries only files. */
  readonly total?: number | undefined;
}

/** The state that the calls of one request to several peers share. */
export interface OutgoingRequest {
  readonly module: Module;
  /** Only a call gets a reply. A lossy message is sent at most once and may be dropped. */
  readonly kind: "call" | "message" | "lossy";
  /** How long a call waits for its reply, and a message for its link, in ms. */
  readonly timeout: number;
  readonly keepAlive: boolean | undefined;
  /** Sends nothing to a peer that is not verified. */
  readonly verified?: boolean | undefined;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  /** Called with the reply of each peer, or with the error of a message that cannot be sent. Only the first reply counts. */
  settle(peer: Peer, outcome: Outcome): void;
  /** A peer has answered, and all streams of its call have ended. */
  onOver?(): void;
}

/**
 * One request to one peer, as a record that moves through its states:
 *
 * ```text
 * queued ── a link is open ──▶ sent ── answer ──▶ answered ── last stream ends ──▶ over
 *    │                          │                    │
 *    └──────────────────────────┴────────────────────┴── error, deadline or cancel ──▶ over
 * ```
 *
 * - *queued*: waits for a link. Ending it cancels the streams of its payload.
 * - *sent*: waits for the reply under `id` on `connection`. Ending it sends `cancel`.
 * - *answered*: has its reply, and streams may be open. A message is answered as soon as it is sent.
 * - *over*: nothing of it is open.
 *
 * The reply settles once, when the call leaves *queued* or *sent*.
 */
export interface PeerCall {
  readonly context: CallContext;
  readonly request: OutgoingRequest;
  readonly peer: Peer;
  payload: Payload;
  status: "queued" | "sent" | "answered" | "over";
  /** Its number on the link. 0 for a message. */
  id: number;
  /** Bytes of its streams that the peer has read. */
  acknowledged: number;
  connection: Connection<CallSender> | undefined;
  deadline: Deadline | undefined;
  /** Why it waits for a link, if one side has no free slot. */
  busy?: BonevalueError;
  /** Removes it from the queue for a link. */
  dequeue: (() => void) | undefined;
  /** Called when it leaves the queue, sent or not. */
  onDequeued?: () => void;
  /** Its streams, if it has any. */
  group?: StreamGroup;
  /** Ends the unread streams of the answer. */
  unreadDeadline?: Deadline;
  /** Whether its request travels on bulk, and has left. */
  isBulk?: boolean;
  hasLeft?: boolean;
}

/** Sends a request to one peer, over a link that is dialed when there is none. */
export function callPeer(context: CallContext, peer: Peer, payload: Payload, request: OutgoingRequest): PeerCall {
  const call: PeerCall = {
    context,
    request,
    peer,
    payload,
    status: "queued",
    id: 0,
    acknowledged: 0,
    connection: undefined,
    deadline: undefined,
    dequeue: undefined,
  };
  const dequeue = context.pool.whenOpen(peer.id, {
    failFast: isShared(payload),
    begin(connection) {
      if (request.verified && !connection.verified) return settle(call, { error: notVerified(peer) });
      call.connection = connection;
      connection.service.send(call);
    },
    onBusy(error) {
      call.busy = error;
    },
    fail: (error) => settle(call, { error }),
  });
  // It may wait on the link, where it cannot be sent yet.
  call.dequeue ??= dequeue;
  if (request.kind === "call" ? call.status !== "over" : call.status === "queued" && !call.connection) {
    call.deadline = context.deadlines.after(request.timeout, () => settle(call, { error: timeoutError(call) }));
  }
  return call;
}

/** Ends a call in any state, with all of its streams. The peer is told. Does not settle it. */
export function endCall(call: PeerCall, reason: BonevalueError): void {
  const { status, connection, group } = call;
  call.context.deadlines.stop(call.deadline);
  call.status = "over";
  connection?.service.cancel(call, reason);
  group?.end(reason);
  if (status !== "queued") return;
  call.dequeue?.();
  call.onDequeued?.();
  discard(call.payload, reason);
}

/** Settles a call. An error ends it. */
export function settle(call: PeerCall, outcome: Outcome): void {
  if ("error" in outcome) endCall(call, outcome.error);
  else call.context.deadlines.stop(call.deadline);
  call.request.settle(call.peer, outcome);
}

function notVerified({ name }: Peer): BonevalueError {
  const message = `"${name}" is not verified, so nothing was sent: exchange a token, or compare the safety number.`;
  return new BonevalueError("identity-mismatch", message);
}

function timeoutError({ request: { kind, timeout }, connection, busy }: PeerCall): BonevalueError {
  return new BonevalueError(
    "timeout",
    busy && !connection
      ? `No link within ${timeout} ms. ${busy.message}`
      : kind === "call"
        ? `No reply within ${timeout} ms. Ask for less, or raise \`timeout\`.`
        : `No link to the peer for ${timeout / 1_000} s. Send the message again later.`,
  );
}
