import { describe, expect, onTestFinished, test, vi } from "vitest";
import type { Discovery, DiscoveryEvents, DiscoverySession, Snapshot } from "../discovery/discovery.ts";
import { createMemoryDiscovery } from "../discovery/memory.ts";
import { createEventRecorder } from "../discovery/testing/event-recorder.ts";
import { BonevalueError } from "../errors.ts";
import type { Peer } from "../peer.ts";
import type { OpenRelay } from "../relay-access.ts";
import { createMemoryNetwork } from "../transport/memory.ts";
import type { Description, Link, SignalExchange, SignalListener, Transport } from "../transport/transport.ts";
import { createPlatformAlgorithms } from "./algorithms.ts";
import { createClientIdentity } from "./client-identity.ts";
import { createMemoryStore } from "./key-store.ts";
import { memoryKeyStore } from "./key-stores.ts";
import type { IdentityOptions, IdentityPolicy } from "./options.ts";
import { hashDescription, readProof, verifyProof } from "./proof.ts";
import { createDevice } from "./testing/users.ts";
import type { TokenServer } from "./user-actions.ts";

interface CreateOptions {
  readonly local?: boolean;
  readonly channelBinding?: boolean;
  readonly urlOf?: Discovery["urlOf"];
}

// A busy machine may take long.
const upTo30s = { timeout: 30_000, interval: 1 };

/** A client without peers. */
const alone = {
  self: () => "self",
  peers: () => [],
  peer: () => undefined,
  isUser: () => false,
  dial: () => Promise.resolve(),
  endLink() {},
  onChange() {},
};

test("a room with a secret can use the relay of the server", async () => {
  const openRelay: OpenRelay = () => Promise.reject(new Error("It is not called."));
  const { open } = createMemoryDiscovery();
  const { discovery } = createClientIdentity({
    identity: { secret: new Uint8Array(16) },
    discovery: {
      open: (...args): DiscoverySession => Object.assign(open(...args), { openRelay, setProfile: () => true }),
    },
    transport: { ...createMemoryNetwork().transport, channelBinding: true },
    ...alone,
  });
  const { events, until } = createEventRecorder();
  const session = discovery.open("memory", { room: "a room", name: "Ann" }, events, { app: "" });
  await until(([name]) => name === "online");
  expect(session.openRelay).toBe(openRelay);
  expect(session.setProfile!({})).toBe(true);
  await session.close();
});

test('a secret for a room is an error with the policy "off", and the server does not learn the name of the room', async () => {
  const open = vi.fn(createMemoryDiscovery().open);
  const { client } = createDevice({ policy: "off", secret: new Uint8Array(16) }, { discovery: { open } });
  await expect(client.connect("memory", { room: "a room", name: "Ann" })).rejects.toMatchObject({
    code: "invalid-request",
  });
  expect(open).not.toHaveBeenCalled();
});

test.for([
  ["is no array of bytes", "a secret of text"],
  ["is missing", () => undefined],
  ["is too short", new Uint8Array(15)],
])("a secret that %s is an error", async ([, secret]) => {
  const { open } = createMemoryDiscovery();
  const { client } = createDevice({ secret: secret as Uint8Array }, { discovery: { open } });
  await expect(client.connect("memory", { room: "a room", name: "Ann" })).rejects.toMatchObject({
    code: "invalid-request",
  });
});

describe("a client's identity", () => {
  const secret = new Uint8Array(16);
  const account = { username: "Ann", password: "x" };
  const room = { room: "a room", name: "Ann" };
  const settled = () => vi.waitUntil(() => true);

  /** The identity of a client without a server: the test emits what the server says. */
  function create(
    identity?: IdentityPolicy | IdentityOptions,
    { local = false, channelBinding = true, urlOf }: CreateOptions = {},
  ) {
    const opened: { credentials: Record<string, unknown>; events: DiscoveryEvents }[] = [];
    const onChange = vi.fn();
    const dial = vi.fn(async (_peer: string) => {});
    const online: Peer[] = [];
    const session = { signal: vi.fn(), close: vi.fn(async () => {}) };
    const open = (_host: string, credentials: object, events: DiscoveryEvents) => {
      opened.push({ credentials: { ...credentials }, events });
      return { ...session } as unknown as DiscoverySession;
    };
    const discovery = { open, urlOf, ...(local && { local }) } as Discovery;
    const never = new Promise<never>(() => {});
    const close = vi.fn();
    const directLink = { opened: never, closed: never, close } as unknown as Link;
    const openTransport = vi.fn((..._args: Parameters<Transport["open"]>) => directLink);
    const transport = { open: openTransport, channelBinding } as unknown as Transport;
    const client = createClientIdentity({
      identity: typeof identity === "object" ? { keyStore: memoryKeyStore(), ...identity } : identity,
      ...{ discovery, transport },
      ...alone,
      ...{ onChange, dial },
      peers: () => online,
      peer: (id) => online.find((peer) => peer.id === id),
    });
    const { events, recorded: told, until } = createEventRecorder();
    return {
      ...{
        client,
        discovery,
        transport,
        openTransport,
        directLink,
        close,
        opened,
        session,
        events,
        told,
        onChange,
        dial,
      },
      peers: online,
      /** Signs in, and waits until the session of the server has been opened. */
      async open(credentials: object, app = "") {
        const signedIn = client.discovery.open("example", credentials as never, events, { app });
        await vi.waitUntil(() => opened.length > 0 || told.length > 0, upTo30s);
        return signedIn;
      },
      online(self: object = { username: "Ann" }) {
        opened[0]!.events.online({ self, peers: [], users: [] } as unknown as Snapshot);
      },
      /** Resolves with what is told first under this name. */
      until: async (name: string) => (await until(([event]) => event === name))[1] as any,
      openLink: () => client.transport.open("bob", "callee", {} as never),
    };
  }

  test.for<[string, boolean, Parameters<typeof create>]>([
    ["there is no server", true, [undefined, { local: true }]],
    ["there is no server, whatever the policy", true, ["require", { local: true }]],
    ["there is no server, though a secret is given for rooms", true, [{ secret }, { local: true }]],
    ["the transport does not commit to its keys", false, [undefined, { channelBinding: false }]],
    ["the policy is off", false, ["off"]],
  ])("changes nothing where %s", ([, verified, parameters]) => {
    const { client, discovery, transport, directLink } = create(...parameters);
    expect(client.discovery).toBe(discovery);
    expect(client.transport).toBe(transport);
    expect(client.ofLink(directLink)).toEqual({ verified });
    expect(client.of("Bob").peek()).toEqual({ status: "unknown" });
  });

  test("signs descriptions for the app scope of the sign-in, and knows the identity of each link", async () => {
    const { client, open, online, until, peers, openTransport } = create();
    peers.push({ id: "bob", name: "Bob", profile: {} });
    await open(account, "chess");
    online();
    await until("online");
    const offer = { type: "offer", sdp: "v=0" } as const;
    const describing = Promise.withResolvers<Description>();
    const exchange = { describe: describing.resolve, listen() {} };
    const link = client.transport.open("bob", "caller", exchange as unknown as SignalExchange);
    expect(client.ofLink(link)).toMatchObject({ verified: false, accepts: expect.any(Function) });
    openTransport.mock.calls[0]![2].describe(offer);
    const proof = readProof((await describing.promise).proof!);
    const algorithms = createPlatformAlgorithms(crypto.subtle);
    const own = await hashDescription(algorithms, offer);
    const verify = (app: string) =>
      verifyProof(algorithms, proof, { role: "caller", app, from: "self", to: "bob", own });
    await verify("chess");
    await expect(verify("")).rejects.toMatchObject({ code: "identity-mismatch" });
  });

  test.for([
    ["tofu", [1, 0]],
    ["require", [0, 1]],
  ] as const)(
    "under %s an unknown peer without a proof reaches the transport or ends the link: %o",
    async ([policy, outcome]) => {
      const { client, open, online, until, peers, openTransport, directLink, close } = create(policy);
      peers.push({ id: "bob", name: "Bob", profile: {} });
      await open(account);
      online();
      await until("online");
      const description = vi.fn();
      openTransport.mockImplementation((_peer, _role, exchange) => {
        exchange.listen({ description } as unknown as SignalListener);
        return directLink;
      });
      let network!: SignalListener;
      const exchange = { listen: (listener: SignalListener) => (network = listener) };
      client.transport.open("bob", "callee", exchange as unknown as SignalExchange);
      network.description({ type: "offer", sdp: "v=0" });
      await vi.waitUntil(() => [description, close].some(({ mock }) => mock.calls.length > 0), upTo30s);
      expect([description, close].map(({ mock }) => mock.calls.length)).toEqual(outcome);
    },
  );

  test("cannot be demanded of a transport that does not commit to its keys", () => {
    expect(() => create("require", { channelBinding: false })).toThrow(
      expect.objectContaining({ code: "invalid-request" }),
    );
  });

  test("does not take part in accounts where nothing is signed, though a secret is given for rooms", async () => {
    const { open, opened, events, told } = create({ policy: "off", secret });
    await open(account);
    expect(opened).toEqual([{ credentials: account, events }]);
    expect(told).toEqual([]);
  });

  test("does not take part in a room without a secret, and is refused there under require", async () => {
    const lenient = create();
    await lenient.open(room);
    expect(lenient.opened).toEqual([{ credentials: room, events: lenient.events }]);
    expect(lenient.openLink()).toBe(lenient.directLink);
    const strict = create("require");
    await strict.open(room);
    expect(await strict.until("ended")).toBe("identity-mismatch");
    expect(strict.opened).toEqual([]);
  });

  test.for([room, { room: "the server's name", as: "a room", session: "x" }])(
    "gives the server another name of a room with a secret, and the app its own: %o",
    async (credentials) => {
      const { open, online, until, opened, client, session } = create({ secret });
      const signedIn = await open(credentials);
      expect(opened[0]!.credentials).toEqual({ ...credentials, room: expect.stringMatching(/^[\w-]{22}$/) });
      online({ username: "Ann", room: opened[0]!.credentials["room"] });
      expect(await until("online")).toEqual({ self: { username: "Ann", room: "a room" }, peers: [], users: [] });
      expect(client.own.peek()).toMatchObject({ status: "linked" });
      signedIn.signal("describe" as never, "bob", {});
      expect(session.signal).toHaveBeenCalledTimes(1);
      expect([signedIn.check!(), signedIn.setProfile!({})]).toEqual([undefined, false]);
      session.close.mockRejectedValueOnce(new Error("The server does not answer."));
      await expect(signedIn.close()).rejects.toThrow("The server does not answer.");
      expect(session.close).toHaveBeenCalledTimes(1);
      expect(client.own.peek()).toBeUndefined();
    },
  );

  test("opens no session of a room that was left before its name was derived", async () => {
    const { client, events, opened } = create({ secret });
    const signedIn = client.discovery.open("host", room, events, { app: "" });
    expect([signedIn.check!(), signedIn.setProfile!({}), signedIn.openRelay]).toEqual([undefined, false, undefined]);
    signedIn.signal("describe" as never, "bob", {});
    await signedIn.close();
    await import("./identify.ts");
    for (let turn = 0; turn < 20; turn++) await crypto.subtle.digest("SHA-256", secret);
    expect(opened).toEqual([]);
  });

  test("holds back what the server says until the key is known, in order", async () => {
    const { open, online, until, opened, told, client } = create();
    const own: boolean[] = [];
    await open(account);
    online();
    opened[0]!.events.peerConnect({ id: "bob" } as never);
    opened[0]!.events.interrupted(new BonevalueError("disconnected", "The connection is lost."));
    expect(told).toEqual([]);
    client.own.subscribe((value) => own.push(value !== undefined));
    await until("interrupted");
    expect(told.map(([name]) => name)).toEqual(["online", "peerConnect", "interrupted"]);
    expect(own).toEqual([false, true]);
    expect(() => client.transport.open("bob", "callee", {} as never)).not.toThrow(/Nothing can be signed/);
  });

  test("opens no link before the sign-in", () => {
    expect(create().openLink).toThrow(expect.objectContaining({ code: "unsupported" }));
  });

  test.for([
    ["wss://example.org/", (host: string) => `wss://${host}.org/`, "example.org Ann"],
    ["the host, where the discovery has no URL", undefined, "example Ann"],
  ] as const)("stores its key under %s", async ([, urlOf, name]) => {
    const keyStore = createMemoryStore();
    const update = vi.spyOn(keyStore, "update");
    const { open, online, until } = create({ keyStore }, { urlOf });
    await open(account);
    online();
    await until("online");
    expect(update.mock.calls[0]![0]).toBe(name);
  });

  test("belongs to the account of a resumed session", async () => {
    const { open, online, until, client } = create();
    await open({ session: "x", as: "Ann" });
    online();
    await until("online");
    expect(client.own.peek()).toBeDefined();
  });

  test("is forgotten with the sign-in, and nothing is told afterwards", async () => {
    for (const how of ["close", "ended"] as const) {
      const { open, online, until, opened, told, client, onChange } = create({});
      const signedIn = await open(account);
      online();
      await until("online");
      expect(client.of("Bob").peek()).toEqual({ status: "unknown" });
      const us = client.of("Us");
      await (await client.tokens({} as never)).requestToken("Us");
      expect(us.peek().status).toBe("pending");
      expect(opened).toHaveLength(1);
      expect(onChange).toHaveBeenCalledExactlyOnceWith("Us", client.of("Us").peek());
      if (how === "close") await signedIn.close();
      else {
        opened[0]!.events.ended(new BonevalueError("disconnected", "The account is gone."));
        expect(await until("ended")).toBe("disconnected");
      }
      await vi.waitUntil(() => client.own.peek() === undefined, upTo30s);
      expect(client.of("Us").peek().status).toBe("unknown");
      const times = told.length;
      opened[0]!.events.woke();
      for (let turn = 0; turn < 20; turn++) await settled();
      expect(told).toHaveLength(times);
      expect(() => client.transport.open("bob", "callee", {} as never)).toThrow(/Nothing can be signed/);
      await expect(client.actions()).rejects.toMatchObject({ code: "unsupported" });
    }
  });

  test("dials peers that come online, and are to answer a token", async () => {
    const { open, online, opened, client, peers, dial } = create({});
    await open(account);
    online();
    await vi.waitUntil(() => client.own.peek() !== undefined, upTo30s);
    await (await client.tokens({} as never)).claimToken("Bob", `.${"A".repeat(32)}`);
    const meet = (id: string) => (peers[0] = { id, name: "Bob", profile: {} });
    opened[0]!.events.peerConnect(meet("first"));
    await vi.waitUntil(() => dial.mock.calls.length === 1, upTo30s);
    meet("second");
    online();
    await vi.waitUntil(() => dial.mock.calls.length === 2, upTo30s);
    expect(dial.mock.calls).toEqual([["first"], ["second"]]);
  });

  test("no longer listens to other tabs after the sign-in", async () => {
    const listeners = new Set<() => void>();
    const subscribe = (_name: string, listener: () => void) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    };
    const { open, online, until } = create({ keyStore: { ...createMemoryStore(), subscribe } });
    const signedIn = await open(account);
    online();
    await until("online");
    expect(listeners.size).toBe(1);
    await signedIn.close();
    expect(listeners.size).toBe(0);
  });

  test("stays when an earlier sign-in is closed after the next one has begun", async () => {
    const { client, opened, events, online } = create({});
    const first = client.discovery.open("example", account, events, { app: "" });
    const next = client.discovery.open("example", { ...account, username: "Bob" }, events, { app: "" });
    await vi.waitUntil(() => opened.length === 2, upTo30s);
    online();
    await vi.waitUntil(() => client.own.peek() !== undefined, upTo30s);
    const { account: before } = client.own.peek()!;
    opened[1]!.events.online({ self: { username: "Bob" }, peers: [], users: [] } as unknown as Snapshot);
    await vi.waitUntil(() => client.own.peek()?.account !== before, upTo30s);
    await first.close();
    expect(client.own.peek()).toBeDefined();
    await next.close();
    expect(client.own.peek()).toBeUndefined();
  });

  test("ends the sign-in, and closes the session, where the key cannot be read", async () => {
    const keyStore = { storesCryptoKeys: true, update: () => Promise.reject(new Error("The disk is full.")) };
    const { open, online, until, opened, session, told } = create({ keyStore });
    await open(account);
    online();
    expect(await until("ended")).toBe("unsupported");
    expect(session.close).toHaveBeenCalledTimes(1);
    opened[0]!.events.woke();
    for (let turn = 0; turn < 20; turn++) await settled();
    expect(told).toHaveLength(1);
  });

  test.for(["can be read", "cannot be read"])(
    "tells nothing of a key that %s when the sign-in is over, and opens no link",
    async (how) => {
      const reading = Promise.withResolvers<void>();
      const begun = Promise.withResolvers<void>();
      const store = createMemoryStore();
      const keyStore: typeof store = {
        ...store,
        async update(name, change) {
          begun.resolve();
          await reading.promise;
          if (how === "cannot be read") throw new Error("The disk is full.");
          return store.update(name, change);
        },
      };
      const { open, online, told, openLink, client } = create({ keyStore });
      const signedIn = await open(account);
      online();
      await begun.promise;
      await signedIn.close();
      reading.resolve();
      for (let turn = 0; turn < 20; turn++) await crypto.subtle.digest("SHA-256", secret);
      expect(told).toEqual([]);
      expect(openLink).toThrow(expect.objectContaining({ code: "unsupported" }));
      expect(client.own.peek()).toBeUndefined();
    },
  );

  test("describes a user whom the app has not asked for lately", async () => {
    const { open, online, until, client } = create({});
    await open(account);
    online();
    await until("online");
    await (await client.tokens({} as never)).requestToken("Us");
    // As after a garbage collection.
    vi.spyOn(WeakRef.prototype, "deref").mockReturnValue(undefined);
    onTestFinished(() => void vi.restoreAllMocks());
    expect(client.of("Us").peek().status).toBe("pending");
  });

  test("tells what was known before the sign-in as no change", async () => {
    const keyStore = memoryKeyStore();
    const first = create({ keyStore });
    await first.open(account);
    first.online();
    await first.until("online");
    await (await first.client.tokens({} as never)).requestToken("Us");
    const again = create({ keyStore });
    await again.open(account);
    again.online();
    await again.until("online");
    expect(again.client.of("Us").peek().status).toBe("pending");
    expect(again.onChange).not.toHaveBeenCalled();
  });

  test.for<[string, IdentityPolicy, object, string]>([
    ["can only be the room of a token", "tofu", account, "protocol"],
    ["is refused under require", "require", { token: "x" }, "identity-mismatch"],
  ])("in a room that the server has chosen %s", async ([, policy, credentials, code]) => {
    const { open, online, until } = create(policy);
    await open(credentials);
    online({ username: "Ann", room: "a room" });
    expect(await until("ended")).toBe(code);
  });

  test("ends where the server moves a client with a key into a room", async () => {
    const { open, online, until, openLink } = create();
    await open({ token: "x" });
    online();
    await until("online");
    online({ username: "Ann", room: "a room" });
    expect(await until("ended")).toBe("protocol");
    expect(openLink).toThrow(expect.objectContaining({ code: "unsupported" }));
  });

  test("signs nothing in the room of a token, which no secret protects", async () => {
    const { open, online, until, openLink, directLink, client, told } = create();
    await open({ token: "x" });
    online({ username: "Ann", room: "a room" });
    expect((await until("online")).self.room).toBe("a room");
    for (let turn = 0; turn < 20; turn++) await Promise.resolve();
    expect(told).toHaveLength(1);
    expect(openLink()).toBe(directLink);
    expect(client.own.peek()).toBeUndefined();
  });

  test("asks the server for tokens where nothing is signed, and refuses those that verify", async () => {
    const server = {} as TokenServer;
    const { client } = create("off");
    expect(await client.tokens(server)).toBe(server);
    await expect(client.tokens(server, true)).rejects.toMatchObject({ code: "identity-mismatch" });
    expect(await create(undefined, { local: true }).client.tokens(server, true)).toBe(server);
    await expect(create().client.tokens(server)).rejects.toMatchObject({ code: "unsupported" });
  });
});
