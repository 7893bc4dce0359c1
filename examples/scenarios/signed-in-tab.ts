import type { Credentials, Peer } from "bonevalue";
import type { Tab, TestBrowser } from "../../tools/e2e.ts";

/** A tab that is signed in. It logs every event of its client to the console. */
export interface SignedInTab {
  readonly browserTab: Tab;
  readonly id: string;
  /** Waits until its client has reported `peer` as online with this name. */
  waitForPeer(peer: SignedInTab, name: string): Promise<string>;
  /** Waits until its client has reported `peer` as disconnected. */
  waitForPeerGone(peer: SignedInTab): Promise<string>;
  /** The peers of its client, as `name id`, sorted. */
  peers(): Promise<readonly string[]>;
  /** Calls Echo with "Friday" at the peers that match `query`. Returns the replies as `name id text`, sorted. */
  call(query: string): Promise<readonly string[]>;
}

/** The page of these scenarios: the script-tag build, and a script for the test. */
export const loginPage = `<!doctype html>
<meta charset="utf-8">
<title>Scenario</title>
<link rel="icon" href="data:,">
<script src="/dist/global.js"></script>
<script src="/examples/scenarios/signed-in-tab.js"></script>`;

/** Opens a tab and signs in there. */
export async function signIn(
  browser: TestBrowser,
  server: string,
  credentials: Credentials,
  page: { readonly html?: string; readonly headers?: Readonly<Record<string, string>> } = {},
): Promise<SignedInTab> {
  const tab = await browser.open({ html: loginPage, ...page });
  const id = await tab.page.evaluate(
    async ([host, who]) => {
      await $BV.connect(host, who);
      return $BV.getId()!;
    },
    [server, credentials] as const,
  );
  return {
    browserTab: tab,
    id,
    waitForPeer: (peer, name) => tab.waitForLine(`peerconnect ${name} ${peer.id}`),
    waitForPeerGone: (peer) => tab.waitForLine(`peerdisconnect ${peer.id}`),
    peers: async () => (await tab.page.evaluate(() => $BV.peers.peek())).map(formatPeer).sort(),
    call: async (query) => (await tab.page.evaluate(callEcho, query)).sort(),
  };
}

/** Formats a peer as in {@link SignedInTab.peers}. */
export function formatPeer({ name, id }: Peer): string {
  return `${name} ${id}`;
}

/** Waits until each of these tabs, all of one account, has reported all others, and has no other peer of that account. */
export async function waitForEachOther(tabs: readonly SignedInTab[]): Promise<void> {
  const wait = async (tab: SignedInTab) => {
    const others = tabs.filter((other) => other !== tab);
    await Promise.all(others.map((other) => tab.waitForPeer(other, "Us")));
    // A tab that an earlier test has closed may still be online.
    const count = (expected: number) => $BV.peers.peek().filter(({ name }) => name === "Us").length === expected;
    await tab.browserTab.page.waitForFunction(count, others.length);
  };
  await Promise.all(tabs.map(wait));
}

async function callEcho(query: string): Promise<string[]> {
  const replies = await $BV.get(query).call("My.Echo.Module", { text: "Friday" }).all();
  return replies.map(({ peer, value, error }) => {
    // The response contains the callee's id, which must be the called peer.
    const answer = value?.from === peer.id ? value.text : (error?.message ?? `from ${value?.from}`);
    return `${peer.name} ${peer.id} ${answer}`;
  });
}
