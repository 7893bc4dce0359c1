import { expect, test } from "vitest";
import { pathOf } from "./path.ts";
import { quirksOf } from "./quirks.ts";

const standard = await quirksOf(class {} as unknown as typeof RTCPeerConnection);
const nodeDataChannel = await quirksOf(
  class {
    ext_maxMessageSize(): void {}
  } as unknown as typeof RTCPeerConnection,
);

const reportOf = (...entries: { id: string; [field: string]: unknown }[]) =>
  new Map(entries.map((one) => [one.id, one])) as unknown as RTCStatsReport;

const host = { id: "host", type: "local-candidate", candidateType: "host" };
const relay = { id: "relay", type: "remote-candidate", candidateType: "relay" };
const pair = {
  id: "pair",
  type: "candidate-pair",
  state: "succeeded",
  nominated: true,
  localCandidateId: "host",
  remoteCandidateId: "host",
  currentRoundTripTime: 0.025,
};
const other = { ...pair, id: "other", currentRoundTripTime: 1 };
const transport = { id: "transport", type: "transport", selectedCandidatePairId: "pair" };

test("the path is the transport's selected candidate pair", () => {
  expect(pathOf(reportOf(host, pair, other, transport), standard)).toEqual({ path: "direct", roundTrip: 25 });
});

test("a relay candidate at either end makes a TURN path", () => {
  const relayed = { ...pair, remoteCandidateId: "relay" };
  expect(pathOf(reportOf(host, relay, relayed, transport), standard).path).toBe("turn");
});

test("Firefox marks the selected pair itself", () => {
  const { currentRoundTripTime, nominated, ...selected } = { ...pair, selected: true };
  expect(pathOf(reportOf(host, selected), standard)).toEqual({ path: "direct" });
});

test("without a selected pair the path is unknown", () => {
  expect(pathOf(reportOf(host, { ...pair, state: "in-progress" } as typeof pair), standard)).toEqual({});
});

test("node-datachannel reports round trips in milliseconds", () => {
  expect(pathOf(reportOf(host, { ...pair, currentRoundTripTime: 25 }), nodeDataChannel).roundTrip).toBe(25);
});

test("node-datachannel gets URL-encoded usernames and credentials", () => {
  const servers = [
    { urls: "turn:example.org", username: "1700:ann", credential: "a/b+c=" },
    { urls: "stun:example.org" },
  ];
  expect(standard.servers(servers)).toEqual(servers);
  expect(nodeDataChannel.servers(servers)).toEqual([
    { urls: "turn:example.org", username: "1700%3Aann", credential: "a%2Fb%2Bc%3D" },
    { urls: "stun:example.org" },
  ]);
});
