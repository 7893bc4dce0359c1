import { RTCPeerConnection as NodePeerConnection } from "node-datachannel/polyfill";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import type { OpenRelay } from "../relay-access.ts";
import { BlockedPeerConnection, createFakeRelay } from "./relay/testing/fake-relay.ts";
import { transportConformance } from "./testing/conformance.ts";
import type { SignalExchange } from "./transport.ts";
import { createFakeSignalExchange } from "./webrtc/testing/fake-signal-exchange.ts";
import { webrtc } from "./webrtc.ts";

const dataSection = "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n";
const open = new Set<RTCPeerConnection>();

/** Stays on this machine, and is counted until it is closed. */
class LocalPeerConnection extends (NodePeerConnection as unknown as typeof RTCPeerConnection) {
  constructor(configuration?: RTCConfiguration) {
    super({ ...configuration, bindAddress: "127.0.0.1" } as RTCConfiguration);
    open.add(this);
  }

  override close(): void {
    super.close();
    open.delete(this);
  }
}

transportConformance({
  name: "WebRTC in Node",
  transport: webrtc({ RTCPeerConnection: LocalPeerConnection }),
  held: () => open.size,
});

/** Tells nobody what it is told. */
const deaf: SignalExchange = {
  describe: () => {},
  candidate: () => {},
  restart: () => {},
  settled: () => {},
  listen: () => {},
  iceServers: () => [{ urls: "stun:discovery.example" }],
};

/** The servers that a link made with `options` is given. */
async function serversWith(options: Parameters<typeof webrtc>[0], exchange = deaf): Promise<unknown> {
  const configuration = await new Promise<RTCConfiguration>((resolve) => {
    class Recording extends LocalPeerConnection {
      constructor(configuration?: RTCConfiguration) {
        resolve(structuredClone(configuration!));
        super({});
      }
    }
    const link = webrtc({ ...options, RTCPeerConnection: Recording }).open("peer", "callee", exchange);
    link.closed.then(() => resolve({}));
    queueMicrotask(() => setImmediate(link.close));
  });
  return configuration.iceServers;
}

test.for(["caller", "callee"] as const)(
  "a relay that discovery offers delays the connection of a %s by no turn, and is not asked for",
  async (role) => {
    /** The turns of the microtask queue until the connection is created. */
    async function turnsUntilStart(exchange: SignalExchange): Promise<number> {
      let isStarted = false;
      class Recording extends BlockedPeerConnection {
        constructor() {
          super();
          isStarted = true;
        }
      }
      const link = webrtc({ RTCPeerConnection: Recording }).open("peer", role, exchange);
      let turns = 0;
      for (; !isStarted; turns++) {
        expect(turns).toBeLessThan(100);
        await undefined;
      }
      link.close();
      return turns;
    }

    const relay = { open: vi.fn(), describe: vi.fn(), remote: new Promise<never>(() => {}) };
    expect(await turnsUntilStart({ ...deaf, relay })).toBe(await turnsUntilStart(deaf));
    expect(relay.open).not.toHaveBeenCalled();
    expect(relay.describe).not.toHaveBeenCalled();
  },
);

test("the app's ICE servers precede the discovery server's, as a list or a function", async () => {
  const own = [{ urls: "stun:app.example" }];
  const both = [...own, { urls: "stun:discovery.example" }];
  expect(await serversWith({ iceServers: own })).toEqual(both);
  expect(await serversWith({ iceServers: () => own })).toEqual(both);
  expect(await serversWith({ iceServers: async () => own })).toEqual(both);
});

test("no ICE server is used if none is configured", async () => {
  expect(await serversWith({}, { ...deaf, iceServers: () => [] })).toEqual([]);
});

test("a link whose iceServers function fails has its error", async () => {
  const cause = new Error("The credentials service is down.");
  const iceServers = () => Promise.reject(cause);
  const link = webrtc({ iceServers, RTCPeerConnection: LocalPeerConnection }).open("peer", "caller", deaf);
  await expect(link.opened).rejects.toMatchObject({
    code: "link-failed",
    message: expect.stringMatching(/credentials service/),
    cause,
  });
});

describe("a callee that could use the relay", () => {
  const withRelay = { ...deaf, iceServers: () => [], relay: createFakeRelay().callee };

  test("ends at once when its iceServers function fails", async () => {
    const iceServers = () => Promise.reject(new Error("The credentials service is down."));
    const link = webrtc({ iceServers, RTCPeerConnection: LocalPeerConnection }).open("peer", "callee", withRelay);
    await expect(link.opened).rejects.toMatchObject({ message: expect.stringMatching(/credentials service/) });
  });

  test("ends at once when it cannot read the offer", async () => {
    const listen: SignalExchange["listen"] = ({ description }) => description({ type: "offer", sdp: dataSection });
    const exchange = { ...withRelay, listen };
    const link = webrtc({ RTCPeerConnection: LocalPeerConnection }).open("peer", "callee", exchange);
    await expect(link.opened).rejects.toMatchObject({ code: "link-failed" });
  });
});

test("a relayed link stays open when the servers of its direct connection fail to load later", async () => {
  const { caller, callee } = createFakeRelay();
  const loading = Promise.withResolvers<RTCIceServer[]>();
  const open = (role: "caller" | "callee", options: Parameters<typeof webrtc>[0], relay: typeof caller) =>
    webrtc({ ...options, RTCPeerConnection: BlockedPeerConnection }).open("peer", role, {
      ...{ ...deaf, iceServers: () => [], relay },
    });
  const links = [open("caller", {}, caller), open("callee", { iceServers: () => loading.promise }, callee)];
  onTestFinished(() => {
    for (const link of links) link.close();
  });
  await Promise.all(links.map(({ opened }) => opened));
  loading.reject(new Error("The credentials service is down."));
  const later = new Promise((resolve) => setImmediate(resolve, "still open"));
  expect(await Promise.race([...links.map(({ closed }) => closed), later])).toBe("still open");
});

/** A relay for the caller that counts how often it is asked for. */
function countedRelay() {
  const { caller } = createFakeRelay();
  const asked = Promise.withResolvers<void>();
  const counted = {
    count: 0,
    asked: asked.promise,
    relay: {
      ...caller,
      open(...attempt: Parameters<OpenRelay>) {
        counted.count++;
        asked.resolve();
        return caller.open(...attempt);
      },
    },
  };
  return counted;
}

test("with `relay: false` a link without a direct path fails, and asks for no relay", async () => {
  const counted = countedRelay();
  const transport = webrtc({ RTCPeerConnection: BlockedPeerConnection, relay: false });
  const link = transport.open("peer", "caller", { ...deaf, iceServers: () => [], relay: counted.relay });
  await expect(link.opened).rejects.toMatchObject({ code: "link-failed" });
  expect(counted.count).toBe(0);
});

/** The constructor of connections whose ICE goes on without an end. */
class SilentPeerConnection extends BlockedPeerConnection {
  readonly getConfiguration: () => RTCConfiguration;
  readonly localDescription = { type: "offer", sdp: dataSection };
  constructor(configuration: RTCConfiguration = {}) {
    super();
    this.getConfiguration = () => configuration;
  }
  override async setLocalDescription(): Promise<void> {}
}

test.for([
  { servers: "no TURN server", urls: "stun:192.0.2.9", looks: 1 },
  { servers: "a TURN server that does not answer", urls: "turn:192.0.2.9", looks: 2 },
])(
  "with $servers the relay is used when ICE has found no path at look $looks, after 4 s each",
  async ({ urls, looks }) => {
    await import("./relay/relay.ts");
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    onTestFinished(() => void vi.useRealTimers());
    const settle = () => new Promise((resolve) => setImmediate(resolve));
    const counted = countedRelay();
    const { promise: answered, resolve: onAnswered } = Promise.withResolvers<void>();
    const link = webrtc({ RTCPeerConnection: SilentPeerConnection }).open("peer", "caller", {
      ...{ ...deaf, relay: counted.relay, iceServers: () => [{ urls }] },
      describe: () => onAnswered(),
      listen: ({ description }) => void answered.then(() => description({ type: "answer", sdp: dataSection })),
    });
    onTestFinished(() => link.close());
    await answered;
    for (let turn = 0; turn < 10; turn++) await settle();
    await vi.advanceTimersByTimeAsync(looks * 4_000 - 1);
    for (let turn = 0; turn < 10; turn++) await settle();
    expect(counted.count).toBe(0);
    vi.advanceTimersByTime(1);
    await counted.asked;
  },
);

test("an invalid ICE server fails the link instead of throwing", async () => {
  const iceServers = [{ urls: "https://example.org" }];
  const link = webrtc({ iceServers, RTCPeerConnection: LocalPeerConnection }).open("peer", "caller", deaf);
  await expect(link.opened).rejects.toMatchObject({
    code: "link-failed",
    message: expect.stringMatching(/iceServers/),
  });
});

test("without WebRTC a link fails and outgoing where to get it", async () => {
  const link = webrtc().open("peer", "caller", deaf);
  await expect(link.opened).rejects.toMatchObject({
    code: "unsupported",
    message: expect.stringMatching(/node-datachannel/),
  });
});

test("in a worker, where browsers have no WebRTC, a link fails and outgoing to create the client in the page", async () => {
  vi.stubGlobal("WorkerGlobalScope", class {});
  onTestFinished(() => void vi.unstubAllGlobals());
  const link = webrtc().open("peer", "caller", deaf);
  await expect(link.opened).rejects.toMatchObject({
    code: "unsupported",
    message: expect.stringMatching(/^Workers have no WebRTC\. Create the client in the page/),
  });
});

test.each([
  ["sound beside the data", `v=0\r\n${dataSection}m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n`],
  ["a picture instead of data", "v=0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\n"],
  ["two sections of data", `v=0\r\n${dataSection}${dataSection}`],
  ["nothing", ""],
])("an offer of %s is refused before the platform sees it", async (_, sdp) => {
  const exchange: SignalExchange = { ...deaf, listen: (listener) => listener.description({ type: "offer", sdp }) };
  const link = webrtc({ RTCPeerConnection: LocalPeerConnection }).open("peer", "callee", exchange);
  await expect(link.opened).rejects.toMatchObject({ code: "protocol" });
});

test("a peer that sends text ends the link", async () => {
  const [caller, callee] = [createFakeSignalExchange(), createFakeSignalExchange()];
  const transport = webrtc({ RTCPeerConnection: LocalPeerConnection });
  const link = transport.open("peer", "callee", { ...deaf, ...callee.outgoing, listen: caller.listen });
  const stranger = new LocalPeerConnection();
  const channels = [0, 1, 2].map((id) => stranger.createDataChannel(String(id), { negotiated: true, id }));
  channels[0]!.onopen = () => channels[0]!.send("hello");
  stranger.onicecandidate = ({ candidate }) => candidate && caller.outgoing.candidate(candidate.toJSON());
  callee.listen({
    description: (answer) => void stranger.setRemoteDescription(answer as RTCSessionDescriptionInit),
    candidate: (candidate) => void stranger.addIceCandidate(candidate as RTCIceCandidateInit),
    restart: () => {},
  });
  await stranger.setLocalDescription();
  caller.outgoing.describe(stranger.localDescription!);
  expect((await link.closed)?.code).toBe("protocol");
  stranger.close();
});

test("a probe describes each error of a STUN or TURN server once", async () => {
  class Refused {
    onicecandidate: ((event: unknown) => void) | undefined;
    onicecandidateerror: ((event: unknown) => void) | undefined;
    createDataChannel(): void {}
    close(): void {}
    async setLocalDescription(): Promise<void> {
      const refusal = { url: "turn:192.0.2.9", errorCode: 401, errorText: "Unauthorized" };
      for (let address = 0; address < 2; address++) this.onicecandidateerror?.(refusal);
      this.onicecandidate?.({ candidate: null });
    }
  }
  const { probe } = webrtc({ RTCPeerConnection: Refused as never });
  expect(await probe?.([])).toMatchObject({ relay: false, errors: ["turn:192.0.2.9: 401 Unauthorized"] });
});
