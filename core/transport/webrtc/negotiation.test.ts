import { expect, test } from "vitest";
import type { Description, SignalListener } from "../transport.ts";
import { type Negotiation, negotiate } from "./negotiation.ts";
import { quirksOf } from "./quirks.ts";

// The one section that a link may have.
const sdp = "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n";

class FakeConnection {
  readonly log: string[] = [];
  iceGatheringState = "complete";
  localDescription: Description | undefined;
  onicecandidate: ((event: unknown) => void) | null = null;
  onicecandidateerror: ((event: unknown) => void) | null = null;
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
    const type = this.remote === "offer" ? "answer" : "offer";
    this.localDescription = { type, sdp };
    this.log.push(`says ${type}`);
  }
}

interface Side {
  readonly pc: FakeConnection;
  readonly negotiation: Negotiation;
  hear(description: Description): void;
  /** All steps that have begun are over. */
  rest(): Promise<void>;
}

function sideOf(role: "caller" | "callee"): Side {
  const pc = new FakeConnection();
  let listener: SignalListener;
  let asked = 0;
  const negotiation = negotiate({
    pc: pc as unknown as RTCPeerConnection,
    role,
    quirks: quirksOf(FakeConnection as unknown as typeof RTCPeerConnection),
    exchange: {
      describe: () => {},
      candidate: () => {},
      restart: () => {},
      settled: () => {},
      iceServers: () => [],
      hear(heard) {
        listener = heard;
      },
    },
    openChannels: () => {},
    servers: async () => [{ urls: `turn:${++asked}` }],
    fail: (error) => pc.log.push(error.message),
  });
  return {
    pc,
    negotiation,
    hear: (description) => listener.description(description),
    rest: () => new Promise((resolve) => setImmediate(resolve)),
  };
}

test("a caller's new round takes the servers of its moment", async () => {
  const { pc, negotiation, rest } = sideOf("caller");
  await rest();
  negotiation.restart();
  await rest();
  expect(pc.log).toEqual(["says offer", "servers: turn:1", "restart", "says offer"]);
});

test("so does a callee's answer to a new round, and not the one to the first", async () => {
  const { pc, hear, rest } = sideOf("callee");
  hear({ type: "offer", sdp });
  await rest();
  hear({ type: "offer", sdp });
  await rest();
  expect(pc.log).toEqual(["hears offer", "says answer", "servers: turn:1", "hears offer", "says answer"]);
});

test("what a TURN server refused with is part of the trouble", () => {
  const { pc, negotiation } = sideOf("caller");
  const candidate = "candidate:1 1 udp 1 192.0.2.1 9 typ host";
  pc.onicecandidate?.({ candidate: { candidate, toJSON: () => ({ candidate }) } });
  pc.onicecandidateerror?.({ url: "turn:192.0.2.9", errorCode: 401, errorText: "Unauthorized" });
  expect(negotiation.trouble()).toMatch("turn:192.0.2.9: 401 Unauthorized");
});
