import { expect, test } from "vitest";
import { createVirtualClock } from "../../testing/virtual-clock.ts";
import { probe } from "./probe.ts";
import { standard } from "./quirks.ts";

class FakeConnection {
  closed = false;
  onicecandidate: ((event: unknown) => void) | null = null;
  onicecandidateerror: ((event: unknown) => void) | null = null;
  createDataChannel(): void {}
  setLocalDescription: () => Promise<void>;
  constructor(refusal: Error | undefined) {
    this.setLocalDescription = async () => {
      if (refusal) throw refusal;
    };
  }
  close(): void {
    this.closed = true;
  }
  find(type: string): void {
    const candidate = `candidate:1 1 udp 1 192.0.2.1 9 typ ${type}`;
    this.onicecandidate?.({ candidate: { candidate, toJSON: () => ({ candidate }) } });
  }
}

function begin({ refusal }: { refusal?: Error } = {}) {
  const clock = createVirtualClock();
  const pc = new FakeConnection(refusal);
  return { clock, pc, reach: probe(pc as unknown as RTCPeerConnection, standard, clock) };
}

test("returns the types of the candidates, and closes the connection", async () => {
  const { clock, pc, reach } = begin();
  pc.find("host");
  pc.find("relay");
  pc.onicecandidate?.({ candidate: null });
  expect(await reach).toEqual({ host: true, srflx: false, relay: true, errors: [], declinesRelay: false, servers: [] });
  expect(pc.closed).toBe(true);
  expect(clock.waiting).toBe(0);
});

test("does not wait for a server that does not answer, and returns ICE errors", async () => {
  const { clock, pc, reach } = begin();
  pc.find("host");
  const refusal = { url: "turn:192.0.2.9", errorCode: 401, errorText: "Unauthorized" };
  pc.onicecandidateerror?.(refusal);
  await clock.advance(5_000);
  expect(await reach).toMatchObject({ host: true, relay: false, errors: ["turn:192.0.2.9: 401 Unauthorized"] });
});

test("closes the connection if gathering fails", async () => {
  const { pc, reach } = begin({ refusal: new Error("blocked") });
  await expect(reach).rejects.toThrow("blocked");
  expect(pc.closed).toBe(true);
});
