import { describe, expect, test } from "vitest";
import { concat } from "../../bytes.ts";
import { maxRelayMessageBytes } from "../../protocol/limits.ts";
import { createVirtualClock } from "../../testing/virtual-clock.ts";
import { createEncryptedSocket } from "./encrypted-socket.ts";
import { createKeyAgreement, type RelayKeys } from "./key-agreement.ts";
import { createDecryption, createEncryption } from "./record-cipher.ts";
import { Kind, windowSize } from "./segments.ts";

/** An encrypted socket, whose other side is the test. */
function openSocket(keys: Promise<RelayKeys>) {
  const listeners = new Map<string, (event: unknown) => void>();
  const errors: unknown[] = [];
  const ready = Promise.withResolvers<void>();
  const socket = {
    binaryType: "",
    bufferedAmount: 0,
    sent: [] as Uint8Array<ArrayBuffer>[],
    addEventListener: (type: string, listener: (event: any) => void) => void listeners.set(type, listener),
    send: (data: string | Uint8Array<ArrayBuffer>) => void (typeof data === "string" || socket.sent.push(data)),
    close() {},
  };
  const encrypted = createEncryptedSocket({
    ...{ socket, keys, ticket: "t", clock: createVirtualClock(), notify: () => {} },
    onOpen() {},
    onReady: ready.resolve,
    fail: (error) => errors.push(error),
    onClose() {},
  });
  const receive = ({ buffer }: Uint8Array<ArrayBuffer>) => listeners.get("message")!({ data: buffer });
  return { encrypted, socket, errors, receive, ready: ready.promise };
}

/** The keys of both sides. */
async function agree() {
  const [caller, callee] = await Promise.all([createKeyAgreement("caller"), createKeyAgreement("callee")]);
  return Promise.all([caller.agree(callee.description), callee.agree(caller.description)]);
}

describe("a socket whose records are not decrypted yet", () => {
  const received = (count: number) => {
    const { errors, receive } = openSocket(new Promise(() => {}));
    for (let record = 0; record < count; record++) receive(new Uint8Array(maxRelayMessageBytes));
    return errors;
  };

  test("holds twice the window", () => {
    expect(received(Math.floor((2 * windowSize) / maxRelayMessageBytes))).toEqual([]);
  });

  test("fails with protocol above that", () => {
    expect(received(Math.floor((2 * windowSize) / maxRelayMessageBytes) + 1)).toEqual([
      expect.objectContaining({ code: "protocol" }),
    ]);
  });
});

test("pings are answered with one pong, but not while the peer does not read", async () => {
  const [own, other] = await agree();
  const { encrypted, socket, receive, ready } = openSocket(Promise.resolve(own));
  const [encrypt, decrypt] = [createEncryption(other.outgoing), createDecryption(other.incoming)];
  const segment = (kind: number) => Uint8Array.of(kind, 0, 0, 0);

  socket.bufferedAmount = windowSize + 1;
  receive(await encrypt(concat(segment(Kind.ready), segment(Kind.ping))));
  await ready;
  socket.bufferedAmount = windowSize;
  receive(await encrypt(concat(segment(Kind.ping), segment(Kind.ping))));
  await expect.poll(() => socket.sent.length).toBeGreaterThan(0);
  encrypted.measure();
  await expect.poll(() => socket.sent.length).toBeGreaterThan(1);
  expect(await Promise.all(socket.sent.map(decrypt))).toEqual([segment(Kind.pong), segment(Kind.ping)]);
});
