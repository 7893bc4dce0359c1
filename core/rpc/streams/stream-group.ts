import type { BonevalueError } from "../../errors.ts";
import { mapAttachments } from "../../wire/codec.ts";
import type { AttachmentReceiver } from "../../wire/deserialize.ts";
import type { Packed } from "../../wire/pack.ts";
import type { ContractCode } from "../module.ts";
import { thrownError } from "../wire-errors.ts";
import type { Consumer } from "./consumer.ts";
import type { OutgoingStream } from "./outgoing-stream.ts";
import type { Payload } from "./payload.ts";
import type { Producer } from "./producer.ts";
import { createRemoteFile } from "./remote-file.ts";
import { readStreamHeader, writeStreamHeader } from "./stream-header.ts";
import type { Streams } from "./streams.ts";

/** The streams of one call: those of its request, and those of its answer. */
export interface StreamGroup {
  /** Whether no stream is open, and everything that has arrived was read. */
  readonly isEmpty: boolean;
  /** Whether a stream that we send is open. */
  readonly isSending: boolean;
  /** Adds the streams of a payload, which wait until they are registered. Returns the group. */
  add(payload: Payload): StreamGroup;
  /** Numbers the streams of the payload and returns its bytes. Ends all streams and throws if `Streams.register` throws. */
  register(): Packed;
  /** Creates the streams and files that a value announces. */
  readonly receive: AttachmentReceiver;
  /** Stops counting what the other side has read. */
  stopTracking(): void;
  /** Ends the received streams that were never read. */
  cancelUnclaimed(reason: BonevalueError): void;
  /** Ends all streams, for both sides. */
  end(reason: BonevalueError): void;
}

/** The environment of a group. */
export interface StreamGroupOptions {
  /** The code of the error for an item that cannot be sent. */
  readonly outgoingCode: ContractCode;
  /** The code of the error for a received item that does not fit its schema. */
  readonly incomingCode: ContractCode;
  /** Called with how many more bytes the other side has read. */
  readonly onAcknowledged?: ((bytes: number) => void) | undefined;
  /** Called when the other side got credit. */
  readonly onCredit?: (() => void) | undefined;
  /** Called when all streams that we send are over, with the reason if one of them was ended early. */
  readonly onSent?: ((ended: BonevalueError | undefined) => void) | undefined;
  /** Called when `isEmpty` becomes true. */
  readonly onEmpty?: (() => void) | undefined;
}

/** Creates an empty group. */
export function createStreamGroup(streams: Streams, options: StreamGroupOptions): StreamGroup {
  const sending = new Set<Producer>();
  const receiving = new Set<Consumer>();
  let payload: Payload | undefined;
  let producers: readonly Producer[] = [];
  let endReason: BonevalueError | undefined;

  function produce({ pull }: OutgoingStream): Producer {
    const producer = streams.produce(options.outgoingCode, {
      pull,
      onAcknowledged: options.onAcknowledged,
      onOver(reason) {
        sending.delete(producer);
        endReason ??= reason;
        if (sending.size === 0) options.onSent?.(endReason);
        notifyIfEmpty();
      },
    });
    sending.add(producer);
    return producer;
  }

  function notifyIfEmpty(): void {
    if (group.isEmpty) options.onEmpty?.();
  }

  const group: StreamGroup = {
    get isEmpty() {
      return sending.size === 0 && receiving.size === 0;
    },
    get isSending() {
      return sending.size > 0;
    },
    add(added) {
      payload = added;
      producers = added.streams.map(produce);
      return group;
    },
    register() {
      const { packed, streams: outgoing } = payload!;
      try {
        const ids = streams.register(producers, packed);
        return mapAttachments(packed, (index) => {
          const { file } = outgoing[index as number]!;
          return writeStreamHeader({ id: ids[index as number]!, file });
        });
      } catch (error) {
        group.end(thrownError(error));
        throw error;
      }
    },
    receive(kind, detail) {
      const header = readStreamHeader(kind, detail);
      const consumer = streams.consume(header, {
        code: options.incomingCode,
        onCredit: () => options.onCredit?.(),
        onOver() {
          receiving.delete(consumer);
          notifyIfEmpty();
        },
      });
      receiving.add(consumer);
      if (!header.file) return consumer.stream;
      return createRemoteFile(header.file, (onRead) => {
        consumer.claim(onRead);
        return consumer.stream;
      });
    },
    stopTracking() {
      for (const producer of producers) producer.stopTracking();
    },
    cancelUnclaimed(reason) {
      for (const consumer of [...receiving]) if (!consumer.isClaimed) consumer.abort(reason);
    },
    end(reason) {
      for (const producer of [...sending]) producer.end(reason);
      for (const consumer of [...receiving]) consumer.abort(reason);
    },
  };
  return group;
}
