import type { PeerId } from "../peer.ts";
import { readStreamHeader } from "../rpc/streams/stream-header.ts";
import type { AttachmentKind } from "../wire/annotations.ts";
import { type DecodeLimits, decode, type Received, unpackValue } from "../wire/codec.ts";
import { type Channel, type Frame, Kind, PresenceStep } from "../wire/frames.ts";
import {
  addEvent,
  type CallRecord,
  type ClientLog,
  type Direction,
  type PresenceRecord,
  type StreamRecord,
} from "./client-log.ts";
import { readFrameHead } from "./frame-head.ts";
import { shorten } from "./preview.ts";
import { createKeyedRing, type KeyedRing, maxEntries } from "./ring.ts";

/** Records the frames of one link. */
export interface FrameObserver {
  /** Reads a message. Keeps none of its bytes, and never throws. */
  read(direction: Direction, channel: Channel, message: Uint8Array<ArrayBuffer>): void;
  /** The link is over: ends the calls and streams that are open. */
  end(code: string): void;
}

/** What is known of the frames of one direction. */
interface Side {
  /** Calls without an answer, by id. */
  readonly calls: KeyedRing<number, CallRecord>;
  /** Streams whose items travel in this direction, by number. */
  readonly streams: KeyedRing<number, StreamRecord>;
  /** Frames that travel in parts, by slot. */
  readonly fragments: KeyedRing<number, { readonly head: Frame<Received> | undefined; readonly size: number }>;
  /** Messages that the other side has not handled, the oldest first, and how many it has handled. */
  readonly messages: CallRecord[];
  handled: number;
  /** How many bytes a stream may send before the first grant. */
  window: number;
}

/** Creates the observer of a link, before its first message. */
export function createFrameObserver(peer: PeerId, log: ClientLog, limits: DecodeLimits): FrameObserver {
  const sides = { in: createSide(), out: createSide() };
  let isUnreadable = false;

  function onPart(direction: Direction, slot: number, remaining: number, bytes: Uint8Array, channel: Channel): void {
    const { fragments } = sides[direction];
    const begun = fragments.get(slot) ?? { head: readFrameHead(bytes), size: remaining + bytes.length };
    // An empty part discards the frame.
    if (bytes.length > 0 && remaining > 0) fragments.set(slot, begun);
    else fragments.delete(slot);
    if (bytes.length > 0 && remaining === 0 && begun.head) onFrame(direction, channel, begun.head, begun.size);
  }

  /** `wholeSize` is the size of a frame that has travelled in parts: its value was not put together. */
  function onFrame(direction: Direction, channel: Channel, frame: Frame<Received>, wholeSize?: number): void {
    const own = sides[direction];
    const other = sides[direction === "in" ? "out" : "in"];
    const sizeOf = ({ size }: Received) => wholeSize ?? size;
    const textOf = (value: Received | undefined) =>
      value && log.preview && (wholeSize === undefined ? previewOf(value, log.preview) : "too large to show");
    const now = performance.now();

    switch (frame[0]) {
      case Kind.hello:
        // Each side states the window of the streams that it receives.
        other.window = Number(frame[2].window) || 0;
        return;
      case Kind.call:
      case Kind.notify: {
        const [kind, id, module, value] = frame;
        const call: CallRecord = {
          at: now,
          peer,
          direction,
          kind: kind === Kind.call ? "call" : channel === "lossy" ? "lossy" : "message",
          module: shorten(module),
          requestSize: sizeOf(value),
          outcome: kind === Kind.call ? "pending" : direction === "out" ? "sent" : "received",
          request: textOf(value),
        };
        log.calls.add(call);
        if (kind === Kind.call) own.calls.set(id, call);
        else if (channel !== "lossy") own.messages.push(call);
        if (own.messages.length > maxEntries) own.handled += own.messages.splice(0, maxEntries / 2).length;
        addStreams(direction, value, call.module);
        return;
      }
      case Kind.answer: {
        const [, id, value] = frame;
        const call = takeCall(other.calls, id, "ok");
        if (call) Object.assign(call, { responseSize: sizeOf(value), response: textOf(value) });
        addStreams(direction, value, call?.module ?? "");
        return;
      }
      case Kind.fail: {
        const [, id, code, message, data] = frame;
        const call = takeCall(other.calls, id, code);
        if (call && log.preview) call.response = [shorten(message), textOf(data)].filter(Boolean).join(" ");
        return;
      }
      case Kind.cancel:
        takeCall(own.calls, frame[1], frame[2]);
        return;
      case Kind.ack:
        // It counts all messages of the link.
        for (const message of other.messages.splice(0, frame[1] - other.handled)) message.outcome = "handled";
        other.handled = Math.max(other.handled, frame[1]);
        return;
      case Kind.refuse: {
        const [, count, module, code] = frame;
        const refused = other.messages.filter((message) => message.module === shorten(module)).slice(-count);
        for (const message of refused) message.outcome = shorten(code);
        addEvent(log, "link", `${count} messages refused: ${shorten(code)}`, { peer });
        return;
      }
      case Kind.item: {
        const [, id, value] = frame;
        const stream = own.streams.get(id) ?? addStream(direction, { id, kind: "stream", module: "" });
        stream.items++;
        stream.bytes += sizeOf(value);
        return;
      }
      case Kind.end:
        endStream(own.streams.get(frame[1]), frame[2] ?? "ended");
        own.streams.delete(frame[1]);
        return;
      case Kind.stop:
        // Items may still be on their way.
        endStream(other.streams.get(frame[1]), frame[2]);
        return;
      case Kind.credit: {
        const stream = other.streams.get(frame[1]);
        if (stream) [stream.read, stream.limit] = [frame[2], frame[3]];
        return;
      }
      case Kind.presence:
        onPresence(direction, frame, textOf);
    }
  }

  function takeCall(calls: KeyedRing<number, CallRecord>, id: number, outcome: string): CallRecord | undefined {
    const call = calls.get(id);
    calls.delete(id);
    if (call) endCall(call, outcome);
    return call;
  }

  function endCall(call: CallRecord, outcome: string): void {
    Object.assign(call, { outcome: shorten(outcome), duration: performance.now() - call.at });
  }

  function addStreams(direction: Direction, { annotations }: Received, module: string): void {
    for (const [, kind, detail] of Array.isArray(annotations) ? annotations : []) {
      if (kind !== "stream" && kind !== "blob") continue;
      const { id, file } = readStreamHeader(kind, detail);
      addStream(direction, { id, kind, module, total: file?.size });
    }
  }

  function addStream(
    direction: Direction,
    stream: Pick<StreamRecord, "id" | "kind" | "module" | "total">,
  ): StreamRecord {
    const { streams, window } = sides[direction];
    const added: StreamRecord = {
      at: performance.now(),
      peer,
      direction,
      ...stream,
      items: 0,
      bytes: 0,
      read: 0,
      limit: window,
      outcome: "open",
    };
    streams.set(stream.id, added);
    log.streams.add(added);
    return added;
  }

  function endStream(stream: StreamRecord | undefined, outcome: string): void {
    if (stream?.outcome !== "open") return;
    Object.assign(stream, { outcome: shorten(outcome), duration: performance.now() - stream.at });
  }

  function onPresence(
    direction: Direction,
    [, step, name, version = 0, value]: Extract<Frame<Received>, readonly [typeof Kind.presence, ...unknown[]]>,
    textOf: (value: Received | undefined) => string | undefined,
  ): void {
    // Who offers the value: the sender of a value, or the receiver of a subscription.
    const offered = step === PresenceStep.value ? direction : direction === "in" ? "out" : "in";
    const id = { peer, direction: offered, name: shorten(name) } as const;
    const known = log.presence.get(keyOf(id));
    const record: PresenceRecord = known ?? {
      ...id,
      at: 0,
      version: 0,
      size: 0,
      updates: 0,
      status: "subscribed",
    };
    record.at = performance.now();
    if (step === PresenceStep.subscribe) record.status = "subscribed";
    else if (step === PresenceStep.stop) record.status = "stopped";
    else if (step === PresenceStep.value) {
      record.status = value ? "current" : "withdrawn";
      // A value is sent again until it is acknowledged.
      if (record.version !== version) record.updates++;
      record.version = version;
      record.size = value?.size ?? 0;
      record.value = textOf(value);
    }
    if (!known) log.presence.set(keyOf(id), record);
  }

  return {
    read(direction, channel, message) {
      try {
        for (const frame of decode(message, limits)) {
          if (frame[0] === Kind.part) onPart(direction, frame[1], frame[2], frame[3], channel);
          else onFrame(direction, channel, frame);
        }
      } catch (error) {
        // The client ends the link with the same error.
        if (!isUnreadable) addEvent(log, "link", "unreadable message", { peer, error });
        isUnreadable = true;
      }
      log.changed();
    },
    end(code) {
      for (const { calls, streams } of Object.values(sides)) {
        for (const call of calls.newestFirst()) endCall(call, code);
        for (const stream of streams.newestFirst()) endStream(stream, code);
      }
      for (const record of log.presence.newestFirst()) if (record.peer === peer) log.presence.delete(keyOf(record));
    },
  };
}

function createSide(): Side {
  return {
    calls: createKeyedRing(),
    streams: createKeyedRing(),
    fragments: createKeyedRing(),
    messages: [],
    handled: 0,
    window: 0,
  };
}

/** Returns the text of a value. The caller must not use the value afterwards. */
function previewOf(value: Received, preview: (value: unknown) => string): string {
  try {
    return preview(unpackValue(value, (kind: AttachmentKind) => Symbol(kind)));
  } catch {
    // The client reports the same error to the app or to the peer.
    return "unreadable";
  }
}

function keyOf({ peer, direction, name }: Pick<PresenceRecord, "peer" | "direction" | "name">): string {
  return `${peer} ${direction} ${name}`;
}
