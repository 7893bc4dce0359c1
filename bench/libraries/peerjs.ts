import { type BufferedConnection, Peer } from "peerjs";
import type { SignalChannel } from "../page/signal-channel.ts";
import type { Caller, CallValue, Library } from "./library.ts";

/** PeerJS with its own server and its binary serialization. */
export const peerjs: Library = {
  async dial(signals) {
    const peer = await signIn();
    const callee = await calleeOf(signals);
    const connection = peer.connect(callee, { serialization: "binary", reliable: true }) as BufferedConnection;
    await new Promise<void>((resolve) => connection.on("open", resolve));
    return callOver(connection, () => peer.destroy());
  },
  answer(signals, onChunk) {
    const peer = signIn();
    peer.then((peer) => {
      peer.on("connection", (connection) => {
        connection.on("data", (data) => {
          if (Array.isArray(data)) connection.send(data);
          else void onChunk(data instanceof ArrayBuffer ? new Uint8Array(data) : (data as Uint8Array));
        });
      });
      signals.listen(() => signals.send(peer.id));
      signals.send(peer.id);
    });
    return async () => (await peer).destroy();
  },
};

function callOver(connection: BufferedConnection, close: () => void): Caller {
  const waiting = new Map<number, (value: unknown) => void>();
  let last = 0;
  connection.on("data", (data) => {
    const [id, value] = data as [number, unknown];
    waiting.get(id)?.(value);
    waiting.delete(id);
  });

  function call(value: CallValue): Promise<unknown> {
    return new Promise((resolve) => {
      waiting.set(++last, resolve);
      connection.send([last, value]);
    });
  }

  return {
    close,
    call,
    exchangeMessages: call,
    // PeerJS buffers 8 MiB and queues the rest without limit. It has no event for free space.
    async stream(chunks) {
      for (const chunk of chunks) {
        while (connection.bufferSize > 0) await new Promise((resolve) => setTimeout(resolve, 5));
        await connection.send(chunk);
      }
    },
  };
}

function signIn(): Promise<Peer> {
  const peer = new Peer({
    host: location.hostname,
    port: Number(new URLSearchParams(location.search).get("peerjs")),
    config: { iceServers: [] },
  });
  return new Promise((resolve, reject) => {
    peer.on("open", () => resolve(peer));
    peer.on("error", reject);
  });
}

/** Gets the callee's PeerJS id. The callee sends it when it signs in, and again on request. */
function calleeOf(signals: SignalChannel): Promise<string> {
  return new Promise((resolve) => {
    signals.listen(resolve);
    signals.send("callee?");
  });
}
