import { type BufferedConnection, Peer } from "peerjs";
import type { Signals } from "../page/signals.ts";
import type { Caller, Contestant } from "./contestant.ts";

/** PeerJS with its own server and its binary serialization. */
export const peerjs: Contestant = {
  async dial(signals) {
    const peer = await signIn();
    const callee = await calleeOf(signals);
    const connection = peer.connect(callee, { serialization: "binary", reliable: true }) as BufferedConnection;
    await new Promise<void>((resolve) => connection.on("open", resolve));
    return callOver(connection, () => peer.destroy());
  },
  answer(signals, sink) {
    const peer = signIn();
    peer.then((peer) => {
      peer.on("connection", (connection) => {
        connection.on("data", (data) => {
          if (Array.isArray(data)) connection.send(data);
          else void sink(data instanceof ArrayBuffer ? new Uint8Array(data) : (data as Uint8Array));
        });
      });
      signals.listen(() => signals.send(peer.id));
      signals.send(peer.id);
    });
    return async () => (await peer).destroy();
  },
};

function callOver(connection: BufferedConnection, close: () => void): Caller {
  const waiting = new Map<number, (text: string) => void>();
  let last = 0;
  connection.on("data", (data) => {
    const [id, text] = data as [number, string];
    waiting.get(id)?.(text);
    waiting.delete(id);
  });
  return {
    close,
    call: (text) =>
      new Promise((resolve) => {
        waiting.set(++last, resolve);
        connection.send([last, text]);
      }),
    // It queues whatever it is given beyond the 8 MiB that it buffers, and tells nobody when there is room again.
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

/** Whichever page comes second asks, or is told, by what name the callee has signed in. */
function calleeOf(signals: Signals): Promise<string> {
  return new Promise((resolve) => {
    signals.listen(resolve);
    signals.send("Who answers?");
  });
}
