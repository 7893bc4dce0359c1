import { decodeMulti, encode } from "@msgpack/msgpack";

/** One msgpack array, its kind first. */
export type Frame = readonly [kind: number, ...fields: any[]];

/** The data channels, by the names that the page gives them. */
export type Channel = "control" | "bulk" | "lossy";

/** A peer that was written from protocol.md alone, with a stock msgpack library and nothing of bonevalue's. */
export interface Peer {
  /** The channels are open. */
  open(): void;
  /** A message has arrived. */
  take(channel: Channel, message: Uint8Array): void;
  say(channel: Channel, ...frames: readonly Frame[]): void;
  /** Says it on control and on bulk. */
  sayOnBoth(frame: Frame): void;
  /** Every frame of a kind that was read, with the channel that it came on. */
  frames(kind: number): readonly (readonly [channel: Channel, frame: Frame])[];
}

/** What a {@link Peer} needs of its platform. */
export interface Platform {
  id(): string;
  send(channel: Channel, message: Uint8Array<ArrayBuffer>): void;
  close(): void;
}

const limits = { message: 65_536, value: 1e6, calls: 9, streams: 9, window: 65_536, assembly: 1e6 };

/** It answers calls of `Echo`, has no `Nope`, agrees to close, and leaves everything else to the test. */
export function createPeer(platform: Platform): Peer {
  const read: [channel: Channel, frame: Frame][] = [];
  const parts = new Map<number, Uint8Array[]>();
  const offered = new Set<Channel>();
  const gone = new Set<Channel>();

  function take(channel: Channel, message: Uint8Array): void {
    for (const frame of decodeMulti(message) as Generator<Frame>) {
      if (frame[0] === 9) assemble(channel, frame);
      else act(channel, frame);
    }
  }

  function assemble(channel: Channel, [, slot, rest, bytes]: Frame): void {
    const pieces = [...(parts.get(slot) ?? []), bytes];
    parts.set(slot, pieces);
    if (rest === 0 && parts.delete(slot)) take(channel, Buffer.concat(pieces));
  }

  function act(channel: Channel, frame: Frame): void {
    read.push([channel, frame]);
    const [kind, first, second, third] = frame;
    if (kind === 1 && second === "Echo") say("control", [2, first, third]);
    if (kind === 1 && second === "Nope") say("control", [3, first, "unknown-module", "There is none."]);
    if (kind === 10 && second === undefined) agree(channel, first);
  }

  function agree(channel: Channel, step: number): void {
    if (step === 0 && offered.add(channel).size === 2) sayOnBoth([10, 1]);
    if (step === 1 && gone.add(channel).size === 2) platform.close();
  }

  function say(channel: Channel, ...frames: readonly Frame[]): void {
    platform.send(channel, new Uint8Array(Buffer.concat(frames.map((frame) => encode(frame)))));
  }

  function sayOnBoth(frame: Frame): void {
    for (const channel of ["control", "bulk"] as const) say(channel, frame);
  }

  return {
    open: () => sayOnBoth([0, 1, { peer: platform.id(), ...limits }]),
    take,
    say,
    sayOnBoth,
    frames: (kind) => read.filter(([, frame]) => frame[0] === kind),
  };
}
