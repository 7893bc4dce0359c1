import { expect, onTestFinished, test } from "vitest";
import { cdp } from "vitest/browser";
import { createFakeRelay } from "./relay/testing/fake-relay.ts";
import { transportConformance } from "./testing/conformance.ts";
import type { SignalExchange } from "./transport.ts";
import { createFakeSignalExchange } from "./webrtc/testing/fake-signal-exchange.ts";
import { webrtc } from "./webrtc.ts";

const open = new Set<RTCPeerConnection>();

class CountedPeerConnection extends RTCPeerConnection {
  constructor(configuration?: RTCConfiguration) {
    super(configuration);
    open.add(this);
  }

  override close(): void {
    super.close();
    open.delete(this);
  }
}

transportConformance({
  name: "WebRTC in Chromium",
  transport: webrtc({ RTCPeerConnection: CountedPeerConnection }),
  held: () => open.size,
});

test("a direct link opens no socket to the relay, and does not load what it needs", async () => {
  const [caller, callee] = [createFakeSignalExchange(), createFakeSignalExchange()];
  const relay = createFakeRelay();
  const transport = webrtc();
  const quiet = { restart: () => {}, settled: () => {}, iceServers: () => [] };
  const links = [
    transport.open("callee", "caller", { ...quiet, ...caller.outgoing, listen: callee.listen, relay: relay.caller }),
    transport.open("caller", "callee", { ...quiet, ...callee.outgoing, listen: caller.listen, relay: relay.callee }),
  ];
  onTestFinished(() => {
    for (const link of links) link.close();
  });
  await Promise.all(links.map(({ opened }) => opened));
  const scripts = performance.getEntriesByType("resource").map(({ name }) => new URL(name).pathname);
  expect(scripts).toContainEqual(expect.stringMatching(/transport\/relay-fallback\.ts$/));
  expect(scripts.filter((path) => path.includes("transport/relay/relay"))).toEqual([]);
  expect(relay.open.size).toBe(0);
});

test("a handshake that fails on a good path ends with disconnected, so that another dial is tried", async () => {
  const [caller, callee] = [createFakeSignalExchange(), createFakeSignalExchange()];
  const transport = webrtc();
  const quiet: Omit<SignalExchange, "describe" | "candidate" | "listen"> = {
    restart: () => {},
    settled: () => {},
    iceServers: () => [],
  };
  /** Answers for another certificate than its own. */
  const describe: SignalExchange["describe"] = ({ type, sdp }) =>
    callee.outgoing.describe({ type, sdp: sdp.replace(/(a=fingerprint:\S+ )\S+/, `$1${"00:".repeat(31)}00`) });
  const links = [
    transport.open("callee", "caller", { ...quiet, ...caller.outgoing, listen: callee.listen }),
    transport.open("caller", "callee", { ...quiet, ...callee.outgoing, describe, listen: caller.listen }),
  ];
  const reasons = await Promise.all(links.map(({ closed }) => closed));
  expect(reasons.map((reason) => reason?.code)).toEqual(["disconnected", "disconnected"]);
  expect(reasons[0]?.message).toMatch(/handshake/);
});

test("at the limit of connections of the browser a link fails with busy", { timeout: 60_000 }, async () => {
  const quiet: SignalExchange = {
    describe() {},
    candidate() {},
    restart() {},
    settled() {},
    listen() {},
    iceServers: () => [],
  };
  const transport = webrtc();
  const others: RTCPeerConnection[] = [];
  try {
    // Chromium allows 500; the garbage collector may not have freed earlier ones.
    for (;;) others.push(new RTCPeerConnection());
  } catch {
    expect(others.length).toBeGreaterThan(100);
  }
  const link = transport.open("peer", "caller", quiet);
  await expect(link.opened).rejects.toMatchObject({ code: "busy", message: expect.stringMatching(/connections/) });
  for (const pc of others.splice(0)) pc.close();
  // They count until they are collected, and the next test file may run in this process.
  await cdp().send("HeapProfiler.collectGarbage");
  await expect.poll(() => new RTCPeerConnection().close()).toBeUndefined();
});
