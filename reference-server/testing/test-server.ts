import { onTestFinished } from "vitest";
import type { ClientOptions } from "ws";
import { until } from "../../tools/eventually.ts";
import { type BonevalueServer, createServer, type Log, type ServerOptions } from "../server.ts";
import { openClient, type TestClient } from "./test-client.ts";
import { type VirtualClock, virtualClock } from "./virtual-clock.ts";

/** A signed-in client and its first lists. */
export interface Peer extends TestClient {
  readonly id: string;
  readonly session: string;
  readonly resumed: boolean;
  readonly users: string[];
  readonly peers: { name: string; id: string }[];
}

/** A server with some accounts. */
export interface TestServer {
  readonly server: BonevalueServer;
  readonly clock: VirtualClock;
  /** The log: level, message and data. */
  readonly logged: readonly [level: string, message: string, data: Record<string, unknown>][];
  open(options?: ClientOptions): Promise<TestClient>;
  /** With the account's password, unless another proof is given. */
  signIn(username: string, proof?: object): Promise<Peer>;
  /** Breaks the connection of a peer; resolves when the server has noticed it. */
  lose(peer: Peer): Promise<void>;
  /** Waits until the actions of each of these peers have reached all of them. */
  settled(...peers: TestClient[]): Promise<void>;
}

/** The password of all accounts in a test. */
export const password = "correct horse";

/** Starts a server in memory with these accounts; all trust each other, with capitalized names as aliases. */
export async function startTestServer(
  accounts: readonly string[] = [],
  options: ServerOptions = {},
): Promise<TestServer> {
  const clock = virtualClock();
  const logged: [string, string, Record<string, unknown>][] = [];
  const server = await createServer({ port: 0, store: ":memory:", clock, log: logInto(logged), ...options });
  onTestFinished(() => server.close());
  for (const [at, name] of accounts.entries()) {
    await server.accounts.add(name, password);
    for (const earlier of accounts.slice(0, at))
      await server.accounts.trust(name, capital(earlier), earlier, capital(name));
  }

  async function open(clientOptions?: ClientOptions): Promise<TestClient> {
    const client = await openClient(server.url, clientOptions);
    onTestFinished(() => client.socket.terminate());
    return client;
  }

  return {
    server,
    clock,
    logged,
    open,
    signIn: async (username, proof = { username, password }) => signedIn(await open(), proof),
    async lose(peer) {
      await peer.break();
      await until(() => logged.some(([, message, data]) => message === "socket closed" && data["peer"] === peer.id), {
        interval: 1,
      });
    },
    async settled(...peers) {
      // Twice: after the first round each peer's own frames are handled, after the second the others have received the results.
      for (const peer of [...peers, ...peers]) await peer.settled();
    },
  };
}

/** Signs a client in, and waits for the lists. */
export async function signedIn(client: TestClient, proof: object): Promise<Peer> {
  client.send("authenticate", { version: 1, ...proof });
  const { data: self } = await client.next("setPeerId");
  const { data: users } = await client.next("userList");
  const { data: peers } = await client.next("peerList");
  return { ...client, id: self.peerId, session: self.session, resumed: self.resumed, users, peers };
}

/** `bob` → `Bob` */
export function capital(name: string): string {
  return name[0]!.toUpperCase() + name.slice(1);
}

function logInto(lines: [string, string, Record<string, unknown>][]): Log {
  const at = (level: string) => (data: object, message: string) => void lines.push([level, message, { ...data }]);
  return { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
}
