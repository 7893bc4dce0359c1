import { once } from "node:events";
import { expect, onTestFinished, test } from "vitest";
import { maxRelayMessageBytes } from "../../core/protocol/limits.ts";
import { createCaller, forkIn } from "../../tools/child-methods.ts";
import { eventually, until } from "../../tools/eventually.ts";
import { openClient } from "../testing/test-client.ts";
import { signedIn } from "../testing/test-server.ts";
import { connectRelay, type RelayClient } from "./testing/relay-client.ts";

const kibibyte = 1024;
const unlimited = { bytesPerSecond: 1e12, burst: 1e12 };
const pipes = 8;

/** Starts a server with pipes between guests, in a process of its own. */
async function start() {
  const child = forkIn([], new URL("testing/measured-server.ts", import.meta.url));
  const call = createCaller(child);
  onTestFinished(async () => {
    child.disconnect();
    await once(child, "exit");
  });
  const url = (await call("start", { rooms: true, relay: unlimited })) as string;
  const enter = async () => {
    const client = await openClient(url);
    onTestFinished(() => client.socket.terminate());
    return signedIn(client, { room: "demo" });
  };
  const caller = await enter();
  const opened: (readonly [RelayClient, RelayClient])[] = [];
  for (let n = 0; n < pipes; n++) {
    const callee = await enter();
    await caller.next("peerConnect");
    opened.push(await connectRelay(url, caller, callee));
  }
  const relayedBytes = async () => {
    const text = await (await fetch(`${url.replace("ws", "http")}/metrics`)).text();
    return Number(/^bonevalue_relay_bytes_total (\d+)$/m.exec(text)?.[1]);
  };
  return { opened, relayedBytes, bufferedBytes: async () => (await call("bufferedBytes")) as number };
}

// Node reads 64 KiB at a time. One or two more reads, which cannot be stopped, follow the one that is unsent. A message of the largest
// size is a copy of two reads, behind which the rest of the second one stays. 196 KiB were measured with these messages, and 166 to
// 184 KiB with small ones.
test.each([maxRelayMessageBytes, 1_000])(
  "a side that does not read costs at most 208 KiB of buffers, with messages of %i bytes",
  async (size) => {
    const { opened, relayedBytes, bufferedBytes } = await start();
    const before = await bufferedBytes();
    const held = async () => ((await bufferedBytes()) - before) / pipes;
    const message = new Uint8Array(size);
    for (const [, callee] of opened) callee.socket.pause();
    let last = -1;
    await until(
      async () => {
        for (const [{ socket }] of opened) while (socket.bufferedAmount < 1024 * kibibyte) socket.send(message);
        const relayed = await relayedBytes();
        const isStalled = relayed === last;
        last = relayed;
        // On a busy machine nothing may move for a while although the buffers of the system are not full yet.
        return isStalled && (await held()) > 32 * kibibyte;
      },
      { interval: 1_000 },
    );
    // V8 frees buffers some time after it has collected them.
    await eventually(async () => expect(await held()).toBeLessThan(208 * kibibyte));
  },
);
