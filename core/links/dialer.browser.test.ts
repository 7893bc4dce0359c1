import { expect, onTestFinished, test } from "vitest";
import { systemClock } from "../clock.ts";
import { alreadyLoaded } from "../testing/already-loaded.ts";
import type { Link } from "../transport/transport.ts";
import { webrtc } from "../transport/webrtc.ts";
import { createDialer, type Dialer } from "./dialer.ts";
import type { Signal } from "./signaling.ts";

/** A connection whose state a test can pretend. */
class PretendingPeerConnection extends RTCPeerConnection {
  static readonly made: PretendingPeerConnection[] = [];
  pretended: RTCPeerConnectionState | undefined;

  constructor(configuration?: RTCConfiguration) {
    super(configuration);
    PretendingPeerConnection.made.push(this);
  }

  override get connectionState(): RTCPeerConnectionState {
    return this.pretended ?? super.connectionState;
  }

  pretend(state: RTCPeerConnectionState): void {
    this.pretended = state;
    this.dispatchEvent(new Event("connectionstatechange"));
  }
}

/** Two dialers, and the links that they open. */
function createPair() {
  const signals: Signal[] = [];
  const opened: Record<string, (link: Link) => void> = {};
  const links = ["a", "b"].map((id) => new Promise<Link>((resolve) => Object.assign(opened, { [id]: resolve })));
  const dialers: Record<string, Dialer> = {};
  for (const id of ["a", "b"]) {
    dialers[id] = createDialer({
      firstAttempt: 1,
      transport: webrtc({ RTCPeerConnection: PretendingPeerConnection }),
      clock: systemClock,
      connectionPart: alreadyLoaded({}),
      self: () => id,
      send(kind, to, signal) {
        signals.push(signal);
        queueMicrotask(() => dialers[to]?.receive(kind, id, structuredClone(signal)));
      },
      sendOnLink: () => false,
      iceServers: () => [],
      openRelay: () => undefined,
      isKnown: () => true,
      onIncoming: (peer) => dialers[id]?.accept(peer),
      onOpen: (_peer, link) => opened[id]?.(link),
      onFailed: (_peer, error) => expect.unreachable(error.message),
      onFree: () => {},
    });
  }
  onTestFinished(() => {
    for (const dialer of Object.values(dialers)) dialer.stop();
  });
  return { a: dialers["a"]!, b: dialers["b"]!, links, signals };
}

test("two peers that dial each other at once get one link", async () => {
  const { a, b, links } = createPair();
  const before = PretendingPeerConnection.made.length;
  a.dial("b");
  b.dial("a");
  const [atA, atB] = await Promise.all(links);
  const received = new Promise<Uint8Array>((resolve) => {
    atB?.listen({ message: (_, bytes) => resolve(bytes), drain() {}, interrupted() {}, restored() {} });
  });
  atA?.send("control", Uint8Array.of(1, 2, 3));
  expect(await received).toEqual(Uint8Array.of(1, 2, 3));
  const open = PretendingPeerConnection.made.slice(before).filter(({ signalingState }) => signalingState !== "closed");
  expect(open).toHaveLength(2);
});

test.each([
  { who: "caller", index: 0 },
  { who: "callee", index: 1 },
])("a link that is interrupted at its $who restarts ICE and recovers", async ({ index }) => {
  const { a, links, signals } = createPair();
  const before = PretendingPeerConnection.made.length;
  a.dial("b");
  const [caller, callee] = (await Promise.all(links)) as [Link, Link];
  const connections = PretendingPeerConnection.made.slice(before);
  const ufrag = () => /^a=ice-ufrag:(.*)$/m.exec(connections[0]?.localDescription?.sdp ?? "")?.[1];
  const first = ufrag();
  const interruptions: string[] = [];
  const restored = new Promise<void>((resolve) => {
    [caller, callee][index]?.listen({
      message() {},
      drain() {},
      interrupted: ({ code }) => interruptions.push(code),
      restored: resolve,
    });
  });

  const answered = new Promise<void>((resolve) => {
    connections[0]?.addEventListener("signalingstatechange", () => {
      if (connections[0]?.signalingState === "stable") resolve();
    });
  });
  connections[index]?.pretend("disconnected");
  expect(interruptions).toEqual(["disconnected"]);
  await answered;
  connections[index]?.pretend("connected");
  await restored;

  expect(ufrag()).not.toBe(first);
  expect(signals.filter(({ round, description }) => round === 1 && description)).toHaveLength(2);
  const other = [callee, caller][index]!;
  const received = new Promise<Uint8Array>((resolve) => {
    other.listen({ message: (_, bytes) => resolve(bytes), drain() {}, interrupted() {}, restored() {} });
  });
  [caller, callee][index]?.send("bulk", Uint8Array.of(4));
  expect(await received).toEqual(Uint8Array.of(4));
});

test.each([
  { who: "caller", index: 0 },
  { who: "callee", index: 1 },
])("a connection that is closed at its $who ends the link on both sides", async ({ index }) => {
  const { a, links } = createPair();
  const before = PretendingPeerConnection.made.length;
  a.dial("b");
  const [caller, callee] = (await Promise.all(links)) as [Link, Link];
  PretendingPeerConnection.made[before + index]?.close();
  const reasons = await Promise.all([caller.closed, callee.closed]);
  expect(reasons.map((reason) => reason?.code)).toEqual(["disconnected", "disconnected"]);
});
