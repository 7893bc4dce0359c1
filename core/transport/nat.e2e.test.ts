import { createHmac } from "node:crypto";
import { fileURLToPath } from "node:url";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import type { IceOption } from "../../reference-server/ice.ts";
import type { ServerOptions } from "../../reference-server/server.ts";
import { type Coturn, startCoturn } from "../../tools/coturn.ts";
import { missingPrograms } from "../../tools/ensure.ts";
import type { NetworkNamespace } from "../../tools/namespaces.ts";
import { createNatNetwork, findNatProblem, type NatNetwork } from "../../tools/nat-network.ts";
import { type ServerProcess, startServer } from "../../tools/server-process.ts";
import { skipAll } from "../../tools/skip-all.ts";
import { chromiumPeer, nodePeer, type RunningPeer } from "./testing/e2e/peers.ts";

const trouble = findNatProblem() ?? missingPrograms("coturn", "chromium");
const library = fileURLToPath(new URL("../../dist/global.js", import.meta.url));
const secret = "the secret that both servers know";
const viaUdp = "turn:192.0.2.1:3478";
const viaTcp = "turn:192.0.2.1:3478?transport=tcp";

let network: NatNetwork;
let coturn: Coturn;
const ends: (() => unknown)[] = [];

beforeAll(async () => {
  if (trouble) return;
  network = createNatNetwork();
  try {
    coturn = await startCoturn({ enter: network.outside.enter, address: network.address, secret });
  } catch (failure) {
    network.remove();
    throw failure;
  }
  return async () => {
    await coturn.stop();
    network.remove();
  };
});

afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

/** A server that hands out `urls`, with credentials of `secret` unless it is told otherwise. */
async function serverWith(
  urls: string | readonly string[],
  { limits, ...proof }: Pick<ServerOptions, "limits"> & Omit<IceOption, "urls"> = { secret },
): Promise<ServerProcess> {
  const { address: host, outside } = network;
  const options = { host, insecure: true, ice: [{ urls, ...proof }], ...(limits && { limits }) };
  const server = await startServer({ accounts: { ann: "test-password" }, options, enter: outside.enter });
  ends.push(server.stop);
  return server;
}

async function pairOf<Peer extends RunningPeer>(start: (home: NetworkNamespace) => Promise<Peer>): Promise<Peer[]> {
  const peers = await Promise.all(network.homes.map(start));
  ends.push(() => Promise.all(peers.map((peer) => peer.close())));
  return peers;
}

const connect = (peers: readonly RunningPeer[], { url }: ServerProcess) =>
  Promise.all(peers.map((peer) => peer.connect(url, "ann", "test-password")));

describe("behind two NATs", () => {
  skipAll(trouble);

  test("peers call each other through coturn by UDP, with the credentials that their server minted", async () => {
    // In Chromium: libjuice of node-datachannel asks coturn now and then for one permission too few, and its link never opens.
    const peers = await pairOf((home) => chromiumPeer(home, library));
    const [ann = "", ben = ""] = await connect(peers, await serverWith(viaUdp));

    expect(await peers[0]!.call(ben, "Hello")).toEqual({ reply: "Hello", path: "turn" });
    for (const id of [ann, ben]) {
      expect(coturn.lines).toContainEqual(expect.stringMatching(new RegExp(`new, .*username=<\\d+:${id}>`)));
    }
  });

  test("without a TURN server they find no path, and are told what would make one", async () => {
    const peers = await pairOf(nodePeer);
    const [, ben = ""] = await connect(peers, await serverWith("stun:192.0.2.1:3478"));

    expect(await peers[0]!.call(ben, "Hello")).toEqual({
      failure: expect.stringMatching(
        /^BonevalueError: .*no relay candidate: configure a TURN server in iceServers, or the server with --relay/,
      ),
    });
  });

  // node-datachannel knows TURN by UDP only.
  test("where UDP is blocked, browsers call each other through coturn by TCP", async () => {
    network.blockUdp(true);
    ends.push(() => network.blockUdp(false));
    const peers = await pairOf((home) => chromiumPeer(home, library));
    const [, ben = ""] = await connect(peers, await serverWith([viaUdp, viaTcp]));

    expect(await peers[0]!.call(ben, "Hello")).toEqual({ reply: "Hello", path: "turn" });
    expect(coturn.lines).toContainEqual(expect.stringContaining("tcp or tls connected to"));
  });

  test("credentials that have expired are refused, and the failure says so", async () => {
    const username = `${Math.floor(Date.now() / 1_000) - 60}:ann`;
    const credential = createHmac("sha1", secret).update(username).digest("base64");
    const peers = await pairOf((home) => chromiumPeer(home, library));
    const [, ben = ""] = await connect(peers, await serverWith(viaUdp, { username, credential }));

    expect(await peers[0]!.call(ben, "Hello")).toEqual({
      failure: expect.stringMatching(/turn:192\.0\.2\.1:3478\S*: 401 .*credentials, which may have expired/),
    });
    expect(coturn.lines).toContainEqual(expect.stringContaining(`Cannot find credentials of user <${username}>`));
  });

  test("credentials are renewed before they expire, and serve new links after that", async () => {
    const peers = await pairOf((home) => chromiumPeer(home, library));
    const limits = { iceAge: 8_000, pingEvery: 1_000 };
    const [, ben = ""] = await connect(peers, await serverWith(viaUdp, { secret, limits }));
    const told = () => peers.map(({ received }) => received.filter(({ type }) => type === "iceServers"));
    const expiries = told().map(([first]) => Date.parse(first!.data.expires));
    await expect.poll(() => told().map(({ length }) => length), { timeout: 8_000 }).toEqual([2, 2]);
    expect(Date.now()).toBeLessThan(Math.min(...expiries));

    await new Promise((resolve) => setTimeout(resolve, Math.max(...expiries) + 1_000 - Date.now()));
    expect(await peers[0]!.call(ben, "Hello")).toEqual({ reply: "Hello", path: "turn" });
  });
});
