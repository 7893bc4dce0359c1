import type { Signals } from "../page/signals.ts";

/** Two ordered and reliable data channels of one connection. */
export interface Channels {
  readonly first: RTCDataChannel;
  readonly second: RTCDataChannel;
  close(): void;
}

/** A bare RTCPeerConnection, dialed as fast as the platform does it. */
export async function dialChannels(signals: Signals): Promise<Channels> {
  const { pc, channels } = connect(signals);
  signals.listen(async ({ answer, candidate }) => {
    if (answer) await pc.setRemoteDescription(answer);
    if (candidate) await pc.addIceCandidate(candidate);
  });
  await pc.setLocalDescription();
  signals.send({ offer: pc.localDescription?.toJSON() });
  await opened(channels.first);
  return channels;
}

/** The other end: `use` is told of the channels before anything arrives on them. */
export function answerChannels(signals: Signals, use: (channels: Channels) => void): () => void {
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

function connect(signals: Signals): { readonly pc: RTCPeerConnection; readonly channels: Channels } {
  const pc = new RTCPeerConnection({ iceServers: [] });
  pc.onicecandidate = ({ candidate }) => {
    if (candidate?.candidate) signals.send({ candidate: candidate.toJSON() });
  };
  const open = (id: number) => {
    const channel = pc.createDataChannel(String(id), { negotiated: true, id });
    channel.binaryType = "arraybuffer";
    return channel;
  };
  return { pc, channels: { first: open(0), second: open(1), close: () => pc.close() } };
}

function opened(channel: RTCDataChannel): Promise<void> {
  return new Promise((resolve) => {
    if (channel.readyState === "open") resolve();
    else channel.onopen = () => resolve();
  });
}
