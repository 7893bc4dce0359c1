import { expect, test } from "vitest";
import { createVirtualClock, type VirtualClock } from "../../testing/virtual-clock.ts";
import { createFakeRelay } from "../relay/testing/fake-relay.ts";
import type { Candidate, Description, RelayExchange, SignalListener } from "../transport.ts";
import { type Negotiation, negotiate } from "./negotiation.ts";
import { standard } from "./quirks.ts";

// The one section that a link may have.
const sdp = "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n";

class FakeConnection {
  readonly log: string[] = [];
  iceGatheringState = "complete";
  iceConnectionState = "checking";
  localDescription: Description | undefined;
  onicecandidate: ((event: unknown) => void) | null = null;
  onicecandidateerror: ((event: unknown) => void) | null = null;
  /** What takes the platform its time. */
  describing: () => Promise<void> = async () => {};
  private remote: string | undefined;
  getConfiguration(): object {
    return {};
  }
  setConfiguration({ iceServers }: { iceServers: { urls: string }[] }): void {
    this.log.push(`servers: ${iceServers.map(({ urls }) => urls)}`);
  }
  restartIce(): void {
    this.log.push("restart");
  }
  async setRemoteDescription({ type }: Description): Promise<void> {
    this.remote = type;
    this.log.push(`hears ${type}`);
  }
  async setLocalDescription(): Promise<void> {
    await this.describing();
    const type = this.remote === "offer" ? "answer" : "offer";
    this.localDescription = { type, sdp };
    this.log.push(`says ${type}`);
  }
  async addIceCandidate({ candidate }: Candidate): Promise<void> {
    this.log.push(`tries ${candidate}`);
  }
}

interface Side {
  readonly pc: FakeConnection;
  readonly clock: VirtualClock;
  readonly negotiation: Negotiation;
  /** What the other side was told. */
  readonly described: Description[];
  receive(description: Description): void;
  try(candidate: string): void;
  /** All steps that have begun are over. */
  rest(): Promise<void>;
}

function sideOf(role: "caller" | "callee", servers?: () => Promise<RTCIceServer[]>, relay?: RelayExchange): Side {
  const pc = new FakeConnection();
  const clock = createVirtualClock();
  const described: Description[] = [];
  let listener: SignalListener;
  let asked = 0;
  const negotiation = negotiate({
    pc: pc as unknown as RTCPeerConnection,
    role,
    quirks: standard,
    clock,
    exchange: {
      describe: (description) => described.push(description),
      candidate: () => {},
      restart: () => {},
      settled: () => {},
      iceServers: () => [],
      relay,
      listen(newListener) {
        listener = newListener;
      },
    },
    openChannels: () => {},
    onLate: () => {},
    servers: servers ?? (async () => [{ urls: `turn:${++asked}` }]),
    fail: (error) => pc.log.push(error.message),
  });
  return {
    pc,
    clock,
    negotiation,
    described,
    receive: (description) => listener.description(description),
    try: (candidate) => listener.candidate({ candidate }),
    rest: () => new Promise((resolve) => setImmediate(resolve)),
  };
}

test("a caller's ICE restart uses the current servers", async () => {
  const { pc, negotiation, rest } = sideOf("caller");
  await rest();
  negotiation.restart();
  await rest();
  expect(pc.log).toEqual(["says offer", "servers: turn:1", "restart", "says offer"]);
});

test("a callee's answer to an ICE restart uses the current servers, unlike its first answer", async () => {
  const { pc, receive, rest } = sideOf("callee");
  receive({ type: "offer", sdp });
  await rest();
  receive({ type: "offer", sdp });
  await rest();
  expect(pc.log).toEqual(["hears offer", "says answer", "servers: turn:1", "hears offer", "says answer"]);
});

test("an ICE restart keeps the last servers if the current ones fail to load", async () => {
  const { pc, negotiation, rest } = sideOf("caller", () => Promise.reject(new Error("offline")));
  await rest();
  negotiation.restart();
  await rest();
  expect(pc.log).toEqual(["says offer", "restart", "says offer"]);
});

test("a late answer is not used for the next round", async () => {
  const asked = Promise.withResolvers<RTCIceServer[]>();
  const { pc, negotiation, receive, try: receiveCandidate, rest } = sideOf("caller", () => asked.promise);
  await rest();
  negotiation.restart();
  await rest();
  receive({ type: "answer", sdp });
  receiveCandidate("an address of the last round");
  asked.resolve([]);
  await rest();
  receive({ type: "answer", sdp });
  receiveCandidate("an address");
  await rest();
  expect(pc.log).toEqual(["says offer", "servers: ", "restart", "says offer", "hears answer", "tries an address"]);
});

test("an answer to an outdated offer is not sent", async () => {
  const { pc, described, receive, rest } = sideOf("callee");
  const first = Promise.withResolvers<void>();
  pc.describing = () => first.promise;
  receive({ type: "offer", sdp });
  await rest();
  receive({ type: "offer", sdp });
  first.resolve();
  await rest();
  expect(pc.log.filter((step) => step !== "servers: turn:1")).toEqual([
    "hears offer",
    "says answer",
    "hears offer",
    "says answer",
  ]);
  expect(described).toHaveLength(1);
});

test("of a thousand simultaneous offers the platform gets only the newest", async () => {
  const { pc, described, receive, try: receiveCandidate, rest } = sideOf("callee");
  for (let round = 0; round < 1_000; round++) {
    receive({ type: "offer", sdp });
    receiveCandidate(`an address of round ${round}`);
  }
  await rest();
  expect(pc.log).toEqual(["hears offer", "says answer", "tries an address of round 999"]);
  expect(described).toHaveLength(1);
});

test("the failure includes the error of a TURN server", () => {
  const { pc, negotiation } = sideOf("caller");
  const candidate = "candidate:1 1 udp 1 192.0.2.1 9 typ host";
  pc.onicecandidate?.({ candidate: { candidate, toJSON: () => ({ candidate }) } });
  pc.onicecandidateerror?.({ url: "turn:192.0.2.9", errorCode: 401, errorText: "Unauthorized" });
  expect(negotiation.trouble()).toMatch("turn:192.0.2.9: 401 Unauthorized");
});

test("a failure without a TURN server advises the relay of the discovery server, unless there is one", () => {
  const candidate = "candidate:1 1 udp 1 192.0.2.1 9 typ host";
  const troubleWith = (relay?: RelayExchange) => {
    const { pc, negotiation } = sideOf("caller", undefined, relay);
    pc.onicecandidate?.({ candidate: { candidate, toJSON: () => ({ candidate }) } });
    return negotiation.trouble();
  };
  expect(troubleWith()).toMatch(/configure a TURN server in iceServers, or the server with --relay\.$/);
  expect(troubleWith(createFakeRelay().caller)).toMatch(/configure a TURN server in iceServers\.$/);
});

test("with a path the failure is the handshake, without advice about TURN", () => {
  const { pc, negotiation } = sideOf("caller");
  pc.iceConnectionState = "connected";
  expect(negotiation.trouble()).toMatch(/^There is a path, but the handshake/);
});

test("with a path, further candidates of the first round wait for the first calls", async () => {
  const { pc, clock, receive, try: receiveCandidate, rest } = sideOf("callee");
  receive({ type: "offer", sdp });
  receiveCandidate("the first address");
  await rest();
  pc.iceConnectionState = "connected";
  receiveCandidate("a spare address");
  await rest();
  expect(pc.log).toEqual(["hears offer", "says answer", "tries the first address"]);
  await clock.advance(1_000);
  await rest();
  expect(pc.log.slice(3)).toEqual(["tries a spare address"]);
});

test("candidates of a later round do not wait, and delayed ones of an earlier round are dropped", async () => {
  const { pc, clock, receive, try: receiveCandidate, rest } = sideOf("callee");
  receive({ type: "offer", sdp });
  await rest();
  pc.iceConnectionState = "connected";
  receiveCandidate("a spare address");
  await rest();
  receive({ type: "offer", sdp });
  receiveCandidate("a new address");
  await rest();
  await clock.advance(1_000);
  await rest();
  expect(pc.log.filter((step) => step.startsWith("tries"))).toEqual(["tries a new address"]);
});

test("a link that has ended adds no delayed candidates", async () => {
  const { pc, clock, negotiation, receive, try: receiveCandidate, rest } = sideOf("callee");
  receive({ type: "offer", sdp });
  pc.iceConnectionState = "completed";
  receiveCandidate("a spare address");
  await rest();
  negotiation.release();
  expect(clock.waiting).toBe(0);
});

test("a link that ends while it reads the answer leaves no timer", async () => {
  const { pc, clock, negotiation, receive, rest } = sideOf("caller");
  await rest();
  const reading = Promise.withResolvers<void>();
  pc.setRemoteDescription = () => reading.promise;
  receive({ type: "answer", sdp });
  await rest();
  negotiation.release();
  reading.resolve();
  await rest();
  expect(clock.waiting).toBe(0);
});
