import { BonevalueError } from "../../errors.ts";
import type { Lifetime } from "../lifetime.ts";
import type { Channel } from "../transport.ts";
import type { Quirks } from "./quirks.ts";

// A message that waits behind this many bytes would be stale when it is sent.
const lossyHighWaterMark = 16_384;

/** The three data channels of one connection. */
export interface Channels {
  /** The buffered bytes on control and bulk. */
  readonly buffered: number;
  /** `drain` is called when `buffered` falls to this. */
  lowMark: number;
  /** Has no effect before the channels are open. */
  send(channel: Channel, message: Uint8Array<ArrayBuffer>): void;
  /** Creates the channels with fixed ids. Opens `lifetime` when all three are open. */
  openOn(pc: RTCPeerConnection, quirks: Quirks): void;
  /** Removes every listener. */
  release(): void;
}

/** Creates the channels, which wait for `openOn`. */
export function createChannels(lifetime: Pick<Lifetime, "open" | "end" | "notify">): Channels {
  const channels: Partial<Record<Channel, RTCDataChannel>> = {};
  let lowMark = 0;
  let isWatching = false;

  function open(pc: RTCPeerConnection, quirks: Quirks, name: Channel, settings: RTCDataChannelInit): void {
    const channel = pc.createDataChannel(name, { ...settings, negotiated: true });
    channel.binaryType = "arraybuffer";
    channel.onopen = () => {
      if (Object.values(channels).every(({ readyState }) => readyState === "open")) lifetime.open();
    };
    channel.onmessage = ({ data }: MessageEvent<unknown>) => onMessage(name, quirks.bytes(data));
    channel.onclose = () =>
      lifetime.end(new BonevalueError("disconnected", "The peer has closed the link. Call again to redial it."));
    // werift does not call onbufferedamountlow.
    channel.addEventListener("bufferedamountlow", onBufferedAmountLow);
    channels[name] = channel;
  }

  function onMessage(name: Channel, bytes: Uint8Array<ArrayBuffer> | undefined): void {
    if (!bytes) lifetime.end(new BonevalueError("protocol", "The peer sent text instead of bytes."));
    else lifetime.notify((listener) => listener.message(name, bytes), bytes.byteLength);
  }

  const bufferedOn = (name: Channel): number => channels[name]?.bufferedAmount ?? 0;
  const buffered = (): number => bufferedOn("control") + bufferedOn("bulk");

  function onBufferedAmountLow(): void {
    if (!isWatching) return;
    if (buffered() > lowMark) setThresholds();
    // Outside of browsers the channels may have drained while the thresholds were set.
    if (buffered() > lowMark) return;
    isWatching = false;
    lifetime.notify((listener) => listener.drain());
  }

  /** The platform has a threshold per channel. Each gets the low mark minus the bytes on the other channel. */
  function setThresholds(): void {
    for (const name of ["control", "bulk"] as const) {
      const channel = channels[name];
      const others = buffered() - bufferedOn(name);
      // node-datachannel throws on a channel that closes.
      if (channel?.readyState === "open") channel.bufferedAmountLowThreshold = Math.max(0, lowMark - others);
    }
  }

  function watch(): void {
    if (isWatching || buffered() <= lowMark) return;
    isWatching = true;
    onBufferedAmountLow();
  }

  return {
    get buffered() {
      return buffered();
    },
    get lowMark() {
      return lowMark;
    },
    set lowMark(mark) {
      lowMark = mark;
      if (isWatching) onBufferedAmountLow();
      else watch();
    },
    send(name, message) {
      const channel = channels[name];
      if (channel?.readyState !== "open") return;
      if (name === "lossy" && channel.bufferedAmount > lossyHighWaterMark) return;
      try {
        channel.send(message);
      } catch (cause) {
        lifetime.end(
          new BonevalueError("link-failed", "The platform failed to send a message. Call again to redial the peer.", {
            cause,
          }),
        );
        return;
      }
      if (name !== "lossy") watch();
    },
    openOn(pc, quirks) {
      open(pc, quirks, "control", { id: 0 });
      open(pc, quirks, "bulk", { id: 1 });
      open(pc, quirks, "lossy", { id: 2, ordered: false, maxRetransmits: 0 });
    },
    release() {
      for (const channel of Object.values(channels)) {
        channel.onopen = channel.onmessage = channel.onclose = null;
        channel.removeEventListener("bufferedamountlow", onBufferedAmountLow);
      }
    },
  };
}
