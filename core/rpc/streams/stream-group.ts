import type { BonevalueError } from "../../errors.ts";
import { mapAttachments, type Packed } from "../../wire/codec.ts";
import type { AttachmentReceiver } from "../../wire/deserialize.ts";
import type { ContractCode } from "../module.ts";
import { thrownError } from "../wire-errors.ts";
import type { Consumer } from "./consumer.ts";
import type { OutgoingStream } from "./outgoing-stream.ts";
import type { Payload } from "./payload.ts";
import type { Producer } from "./producer.ts";
import { createRemoteFile } from "./remote-file.ts";
import { readStreamHeader, writeStreamHeader } from "./stream-header.ts";
import type { Streams } from "./streams.ts";

/** The streams of one exchange: those of its request, and those of its answer. */
export interface StreamGroup {
  /** Whether none is open, and none has arrived that was not read to its end. */
  readonly isEmpty: boolean;
  /** Whether one that we send is open. */
  readonly isSending: boolean;
  /** Takes the streams of a payload over, which wait until it is announced. Returns the group. */
  add(payload: Payload): StreamGroup;
  /** The bytes of the payload as they leave now, its streams numbered. Throws as `Streams.announce`, and has then ended all. */
  register(): Packed;
  /** Makes the streams and files that a value announces. */
  readonly receive: AttachmentReceiver;
  /** Nobody asks any more how much was acknowledged. */
  stopTracking(): void;
  /** Ends those that arrived and that nobody has begun to read. */
  cancelUnclaimed(reason: BonevalueError): void;
  /** Ends all, on both sides. */
  end(reason: BonevalueError): void;
}

/** What a group says of its streams. */
export interface StreamGroupOptions {
  /** With what the items fail that break the contract: of the value that is sent, and of the one that arrives. */
  readonly sends: ContractCode;
  readonly receives: ContractCode;
  /** Bytes more that the other side has read. */
  readonly acknowledged?: ((bytes: number) => void) | undefined;
  /** We have given the other side credit. */
  readonly granted?: (() => void) | undefined;
  /** All that we send is over; the reason, if it was ended by something else than itself. */
  readonly sent?: ((ended: BonevalueError | undefined) => void) | undefined;
  /** `isEmpty` is true again. */
  readonly emptied?: (() => void) | undefined;
}

/** A group without streams, on one link. */
export function createStreamGroup(streams: Streams, options: StreamGroupOptions): StreamGroup {
  const sending = new Set<Producer>();
  const receiving = new Set<Consumer>();
  let payload: Payload | undefined;
  let producers: readonly Producer[] = [];
  let endedWith: BonevalueError | undefined;

  function produce({ pull }: OutgoingStream): Producer {
    const producer = streams.produce(options.sends, {
      pull,
      acknowledged: options.acknowledged,
      over(ended) {
        sending.delete(producer);
        endedWith ??= ended;
        if (sending.size === 0) options.sent?.(endedWith);
        tellIfEmpty();
      },
    });
    sending.add(producer);
    return producer;
  }

  function tellIfEmpty(): void {
    if (sending.size === 0 && receiving.size === 0) options.emptied?.();
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
      const { packed, streams: announced } = payload!;
      try {
        const ids = streams.register(producers, packed);
        return mapAttachments(packed, (place) => {
          const { file } = announced[place as number]!;
          return writeStreamHeader({ id: ids[place as number]!, file });
        });
      } catch (error) {
        group.end(thrownError(error));
        throw error;
      }
    },
    receive(kind, detail) {
      const announcement = readStreamHeader(kind, detail);
      const consumer = streams.consume(announcement, {
        code: options.receives,
        granted: () => options.granted?.(),
        over() {
          receiving.delete(consumer);
          tellIfEmpty();
        },
      });
      receiving.add(consumer);
      if (!announcement.file) return consumer.stream;
      return createRemoteFile(announcement.file, () => {
        consumer.claim();
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
