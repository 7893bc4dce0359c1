import type { Credentials, Peer } from "bonevalue";
import type { Stage, Tab } from "../../tools/e2e.ts";

/** A tab that is signed in. Its console says every event of its client. */
export interface Login {
  readonly tab: Tab;
  readonly id: string;
  /** Resolves when its client has been told that `peer` is online under `name`. */
  meets(peer: Login, name: string): Promise<string>;
  /** Resolves when its client has been told that `peer` has gone. */
  misses(peer: Login): Promise<string>;
  /** Whom its client sees now, as `name id`, sorted. */
  peers(): Promise<readonly string[]>;
  /** Asks whom `query` names to echo "Friday". The answers as `name id text`, sorted. */
  call(query: string): Promise<readonly string[]>;
}

/** What a page of these scenarios is: the script-tag build, and the script that talks to the spec. */
export const loginPage = `<!doctype html>
<meta charset="utf-8">
<title>A login</title>
<link rel="icon" href="data:,">
<script src="/dist/global.js"></script>
<script src="/examples/scenarios/login.js"></script>`;

/** Opens a tab and signs in there. */
export async function signIn(
  stage: Stage,
  server: string,
  credentials: Credentials,
  headers: Readonly<Record<string, string>> = {},
): Promise<Login> {
  const tab = await stage.open({ html: loginPage, headers });
  const id = await tab.page.evaluate(
    async ([host, who]) => {
      await $BV.connect(host, who);
      return $BV.getId()!;
    },
    [server, credentials] as const,
  );
  return {
    tab,
    id,
    meets: (peer, name) => tab.says(`peerconnect ${name} ${peer.id}`),
    misses: (peer) => tab.says(`peerdisconnect ${peer.id}`),
    peers: async () => (await tab.page.evaluate(() => $BV.peers.peek())).map(nameAndId).sort(),
    call: async (query) => (await tab.page.evaluate(askToEcho, query)).sort(),
  };
}

/** How {@link Login.peers} spells a peer. */
export function nameAndId({ name, id }: Peer): string {
  return `${name} ${id}`;
}

/** Resolves when each of `logins`, all of one account, has met all others. */
export async function haveMet(logins: readonly Login[]): Promise<void> {
  await Promise.all(
    logins.flatMap((login) => logins.filter((other) => other !== login).map((other) => login.meets(other, "Us"))),
  );
}

async function askToEcho(query: string): Promise<string[]> {
  const replies = await $BV.get(query).call("My.Echo.Module", { text: "Friday" }).all();
  return replies.map(({ peer, value, error }) => {
    // Who answered is who was asked.
    const answer = value?.from === peer.id ? value.text : (error?.message ?? `from ${value?.from}`);
    return `${peer.name} ${peer.id} ${answer}`;
  });
}
