import type { SignalChannel } from "../page/signal-channel.ts";

/** The data channels of one connection: two that are ordered and reliable, and one that is neither. */
export interface Channels {
  readonly first: RTCDataChannel;
  readonly second: RTCDataChannel;
  /** Not ordered, without retransmissions. */
  readonly lossy: RTCDataChannel;
  close(): void;
}

/** Dials a bare RTCPeerConnection. */
export async function dialChannels(signals: SignalChannel): Promise<Channels> {
  const { pc, channels } = connect(signals);
  signals.listen(async ({ answer, candidate }) => {
    if (answer) await pc.setRemoteDescription(answer);
    if (candidate) await pc.addIceCandidate(candidate);
  });
  await pc.setLocalDescription();
  signals.send({ offer: pc.localDescription?.toJSON() });
  await Promise.all([opened(channels.first), opened(channels.lossy)]);
  return channels;
}

/** Answers a dial. `use` gets the channels before data arrives on them. */
export function answerChannels(signals: SignalChannel, use: (channels: Channels) => void): () => void {
  const { pc, channels } = connect(signals);
  use(channels);
  signals.listen(async ({ offer, candidate }) => {
    if (candidate) await pc.addIceCandidate(candidate);
    if (!offer) return;
    await pc.setRemoteDescription(offer);
    await pc.setLocalDescription();
    signals.send({ answer: pc.localDescription?.toJSON() });
  });
  return channels.close;
}

function connect(signals: SignalChannel): { readonly pc: RTCPeerConnection; readonly channels: Channels } {
  const pc = new RTCPeerConnection({ iceServers: [] });
  pc.onicecandidate = ({ candidate }) => {
    if (candidate?.candidate) signals.send({ candidate: candidate.toJSON() });
  };
  const open = (id: number, settings?: RTCDataChannelInit) => {
    const channel = pc.createDataChannel(String(id), { ...settings, negotiated: true, id });
    channel.binaryType = "arraybuffer";
    return channel;
  };
  const lossy = open(2, { ordered: false, maxRetransmits: 0 });
  return { pc, channels: { first: open(0), second: open(1), lossy, close: () => pc.close() } };
}

function opened(channel: RTCDataChannel): Promise<void> {
  return new Promise((resolve) => {
    if (channel.readyState === "open") resolve();
    else channel.onopen = () => resolve();
  });
}
