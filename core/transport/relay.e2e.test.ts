import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, test } from "vitest";
import { missingPrograms } from "../../tools/ensure.ts";
import { createNatNetwork, findNatProblem, type NatNetwork } from "../../tools/nat-network.ts";
import { type ServerProcess, startServer } from "../../tools/server-process.ts";
import { skipAll } from "../../tools/skip-all.ts";
import {
  nodePeer,
  type RunningBrowser,
  type RunningPage,
  type RunningPeer,
  startChromium,
} from "./testing/e2e/peers.ts";

const trouble = findNatProblem() ?? missingPrograms("chromium");
const library = fileURLToPath(new URL("../../dist/global.js", import.meta.url));
const password = "test-password";
const names = ["chromium", "node", "verified"] as const;

let network: NatNetwork;
let browsers: [RunningBrowser, RunningBrowser];
let server: ServerProcess;

// One browser in each network, and one server, for all tests: these run at the same time, with pages and users of their own.
beforeAll(async () => {
  if (trouble) return;
  network = createNatNetwork();
  network.blockUdp(true);
  const { address: host, outside, homes } = network;
  const users = names.flatMap((name) => [`ann-${name}`, `bob-${name}`]);
  [server, ...browsers] = await Promise.all([
    startServer({
      accounts: Object.fromEntries(users.map((user) => [user, password])),
      trust: names.map((name) => [`ann-${name}`, "Bob", `bob-${name}`, "Ann"] as const),
      options: { host, insecure: true, relay: true },
      enter: outside.enter,
    }),
    startChromium(homes[0], library),
    startChromium(homes[1], library),
  ]);
});

afterAll(async () => {
  if (trouble) return;
  await Promise.all(browsers.map((browser) => browser.close()));
  await server.stop();
  network.remove();
});

/** A page in one network and a peer in the other, whose users trust each other, signed in. */
async function pairOf(name: (typeof names)[number], callee: Promise<RunningPeer> = browsers[1].open()) {
  const [ann, bob] = await Promise.all([browsers[0].open(), callee]);
  const bobId = await bob.connect(server.url, `bob-${name}`, password);
  // Last, so that she knows of Bob when she is signed in.
  await ann.connect(server.url, `ann-${name}`, password);
  return { ann, bob, bobId };
}

/** The types of messages of Ann's server from this one on that belong to her dial: signals of Bob, and the answer to `openRelay`. */
function dialMessages({ received }: RunningPage, from: number): readonly string[] {
  const types = received.slice(from).map(({ type }) => type);
  return types.filter((type) => ["peerRequest", "peerResponse", "relayResponse"].includes(type));
}

const relayed = { reply: "Hello", path: "relay" };

describe.concurrent("where UDP is blocked and there is no TURN server", { timeout: 120_000 }, () => {
  skipAll(trouble);

  test("Chromium calls Chromium through the discovery server", async ({ expect }) => {
    const { ann, bobId } = await pairOf("chromium");
    const before = ann.received.length;
    expect(await ann.call(bobId, "Hello")).toEqual(relayed);
    // Bob has answered, and ICE has found no path.
    expect(dialMessages(ann, before).indexOf("relayResponse")).toBeGreaterThan(0);
    await ann.disconnect();
    await ann.connect(server.url, "ann-chromium", password);
    expect(await ann.call(bobId, "Hello")).toEqual(relayed);
    expect(await ann.diagnose()).toMatch(/^relay of the discovery server: yes/m);
  });

  test("Chromium calls Node through the discovery server", async ({ expect }) => {
    const node = nodePeer(network.homes[1]);
    const { ann, bob, bobId } = await pairOf("node", node);
    expect(await ann.call(bobId, "Hello")).toEqual(relayed);
    await bob.close();
  });

  test("users who have verified each other are verified on a relayed link", async ({ expect }) => {
    const { ann, bob, bobId } = await pairOf("verified");
    await bob.claimToken("Ann", await ann.requestToken("Bob"));
    await expect.poll(() => ann.verified(bobId), { timeout: 20_000 }).toBe(true);
    expect(await ann.call(bobId, "Hello")).toEqual(relayed);
  });
});
