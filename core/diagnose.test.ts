import { expect, onTestFinished, test, vi } from "vitest";
import { type DiagnoseOptions, diagnose } from "./diagnose.ts";
import { createLive } from "./reactive.ts";
import type { Status } from "./session.ts";
import { createNetwork } from "./testing/network.ts";
import type { Reach, Transport } from "./transport/transport.ts";
import { webrtc } from "./transport/webrtc.ts";

const open: Transport["open"] = () => {
  throw new Error("A diagnosis opens no link.");
};

interface Page extends Partial<DiagnoseOptions> {
  readonly reach?: Reach;
  readonly status?: Status;
  readonly hasRelay?: boolean;
}

function look({ reach, status = "online", hasRelay = true, ...options }: Page = {}) {
  return diagnose({
    transport: { open, probe: async () => reach ?? { host: true, srflx: true, relay: true, errors: [] } },
    session: {
      status: createLive(status),
      iceServers: () => [],
      openRelay: () => (hasRelay ? async () => undefined : undefined),
    },
    secureContext: true,
    ...options,
  });
}

test("prints yes for everything that works", async () => {
  const diagnosis = await look();
  expect({ ...diagnosis }).toEqual({
    webrtc: true,
    secureContext: true,
    server: true,
    host: true,
    srflx: true,
    relay: true,
    serverRelay: true,
    errors: [],
  });
  expect(String(diagnosis).split("\n")).toEqual([
    "WebRTC: yes",
    "secure context: yes",
    "discovery server: yes",
    "host candidates: yes",
    "srflx candidates: yes",
    "relay candidates: yes",
    expect.stringMatching(/^relay of the discovery server: yes, for links without a direct path\..* not verified$/),
  ]);
});

test("prints what to do about each failure, and the errors of servers", async () => {
  const errors = ["turn:192.0.2.9: 401 Unauthorized"];
  const text = String(
    await look({ status: "reconnecting", reach: { host: true, srflx: false, relay: false, errors } }),
  );
  expect(text).toMatch(/^discovery server: no \(.*check the host/m);
  expect(text).toMatch(/^relay candidates: no \(no TURN server is configured: add one to iceServers/m);
  expect(text).toMatch(/^error: turn:192\.0\.2\.9: 401 Unauthorized$/m);
});

test("says why there is no relay of the discovery server", async () => {
  const reach = { host: true, srflx: true, relay: true, errors: [] };
  expect(String(await look({ hasRelay: false }))).toMatch(
    /^relay of the discovery server: no \(start it with --relay/m,
  );
  const declined = await look({ reach: { ...reach, declinesRelay: true } });
  expect(declined.serverRelay).toBe(false);
  expect(String(declined)).toMatch(/^relay of the discovery server: no \(webrtc\({ relay: false }\) declines it\)/m);
  expect((await look({ status: "offline" })).serverRelay).toBeUndefined();
  const withoutWebRtc = await look({ transport: webrtc() });
  expect(withoutWebRtc.serverRelay).toBe(false);
  expect(String(withoutWebRtc)).toMatch(/^relay of the discovery server: no \(it needs WebRTC, too\)/m);
  vi.stubGlobal("crypto", {});
  onTestFinished(() => void vi.unstubAllGlobals());
  expect(String(await look())).toMatch(
    /^relay of the discovery server: no \(it needs WebCrypto: serve .* over https\)/m,
  );
});

test("blames no STUN or TURN server if none is configured", async () => {
  const reach = { host: true, srflx: false, relay: false, errors: [] };
  const without = String(await look({ reach }));
  expect(without).toMatch(/^srflx candidates: no \(no STUN server is configured: add one to iceServers/m);
  expect(without).not.toMatch(/answered/);
  const withTurn = String(await look({ reach: { ...reach, servers: ["turn:192.0.2.9"] } }));
  expect(withTurn).toMatch(/^relay candidates: no \(no TURN server has answered/m);
  const withBoth = String(await look({ reach: { ...reach, servers: ["stun:192.0.2.9", "turns:192.0.2.9"] } }));
  expect(withBoth).toMatch(/^srflx candidates: no \(no STUN server has answered/m);
});

test("reports what it cannot test as unknown", async () => {
  const diagnosis = await look({ status: "offline", secureContext: undefined, transport: { open } });
  const { errors, ...rest } = diagnosis;
  expect(new Set(Object.values(rest))).toEqual(new Set([undefined]));
  expect(String(diagnosis)).toMatch(/^WebRTC: unknown$/m);
});

test("without WebRTC it says so, and what to do", async () => {
  const diagnosis = await look({ transport: webrtc() });
  expect(diagnosis).toMatchObject({ webrtc: false, host: undefined });
  expect(String(diagnosis)).toMatch(/^error: .*node-datachannel/m);
});

test("can be cloned", async () => {
  const diagnosis = await look();
  expect(structuredClone(diagnosis)).toEqual({ ...diagnosis });
});

test("a client diagnoses its own transport and server", async () => {
  const ann = createNetwork().client("ann");
  expect(await ann.diagnose()).toMatchObject({ server: undefined });
  await ann.connect("test", "ann", "");
  expect(await ann.diagnose()).toMatchObject({ server: true });
  await ann.disconnect();
});
