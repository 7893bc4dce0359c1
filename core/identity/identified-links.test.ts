import { describe, expect, test, vi } from "vitest";
import { fromBase64Url, toBase64Url } from "../bytes.ts";
import { BonevalueError } from "../errors.ts";
import type {
  Description,
  LinkIdentity,
  RelayDescription,
  SignalExchange,
  SignalListener,
  Transport,
} from "../transport/transport.ts";
import { createPlatformAlgorithms } from "./algorithms.ts";
import { createDevice, type Device } from "./device.ts";
import { createIdentifiedLinks } from "./identified-links.ts";
import { createMemoryStore } from "./key-store.ts";
import { halfOf, readProof } from "./proof.ts";
import { addRemoved, certify, type IdentityRecord } from "./record.ts";
import { vector } from "./testing/vectors.ts";
import { addClaim, addToken, endTrust } from "./user-changes.ts";

const algorithms = createPlatformAlgorithms(crypto.subtle);
const until = (condition: () => unknown) => vi.waitUntil(condition, { interval: 1, timeout: 30_000 });

interface SideOptions {
  readonly verifiedOnly?: boolean;
  readonly device?: Device;
  readonly isRoom?: boolean;
  /** Whether the discovery can relay links. Default true. */
  readonly hasRelay?: boolean;
  /** The peer's name. Default: that of its id. */
  readonly alias?: string | undefined;
  readonly accountOf?: (alias: string) => string | undefined | Promise<undefined>;
}

/** One side of one link. The test is its transport, and the network between the sides. */
function createSide(self: string, peer: string, role: "caller" | "callee", options: SideOptions = {}) {
  const device = options.device ?? createDevice({ algorithms, store: createMemoryStore(), name: "x" });
  const sent: unknown[] = [];
  const received: unknown[] = [];
  const ended: (BonevalueError | undefined)[] = [];
  const dropped: string[] = [];
  const refused: string[] = [];
  const records: IdentityRecord[] = [];
  const opened = Promise.withResolvers<void>();
  const closed = Promise.withResolvers<BonevalueError | undefined>();
  let network!: SignalListener;
  let relayNetwork!: (description: RelayDescription) => void;
  let guarded!: SignalExchange;
  const transport: Transport = {
    open(_peer, _role, exchange) {
      guarded = exchange;
      exchange.listen({
        description: (description) => received.push(description),
        candidate: ({ candidate }) => received.push(candidate),
        restart: () => received.push("restart"),
      });
      exchange.relay?.remote.then((description) => received.push(description));
      return {
        opened: opened.promise,
        closed: closed.promise,
        maxMessage: 1,
        buffered: 0,
        lowMark: 0,
        listen() {},
        send() {},
        close(reason) {
          ended.push(reason);
          closed.resolve(reason);
        },
      };
    },
  };
  const links = createIdentifiedLinks({
    algorithms,
    device,
    transport,
    isRoom: options.isRoom ?? false,
    verifiedOnly: options.verifiedOnly ?? false,
    app: "",
    accountOf: options.accountOf,
    self: () => self,
    nameOf: () => ("alias" in options ? options.alias : peer),
    endLink(id, reason) {
      ended.push(reason);
      dropped.push(id);
    },
    onRecord: (record) => records.push(record),
    onRefused: (alias) => refused.push(alias),
  });
  const exchange: SignalExchange = {
    describe: (description) => sent.push(description),
    candidate: ({ candidate }) => sent.push(candidate),
    restart: () => sent.push("restart"),
    settled: () => sent.push("settled"),
    listen: (listener) => {
      network = listener;
    },
    iceServers: () => [{ urls: "stun:example.org" }],
    relay:
      options.hasRelay === false
        ? undefined
        : {
            open: async () => undefined,
            describe: (description) => sent.push(description),
            remote: new Promise((resolve) => {
              relayNetwork = resolve;
            }),
          },
  };
  const { link, identity } = links.open(peer, role, exchange);
  return {
    device,
    links,
    link,
    identity: identity as Required<LinkIdentity>,
    sent,
    received,
    ended,
    dropped,
    refused,
    records,
    opened,
    closed,
    guarded,
    get network() {
      return network;
    },
    /** Describes itself, and returns the signed description. */
    async describe(sdp: string): Promise<Description> {
      const before = sent.length;
      guarded.describe({ type: role === "caller" ? "offer" : "answer", sdp });
      await until(() => sent.length > before);
      return sent.at(-1) as Description;
    },
    /** The same for a relayed link. */
    async describeRelay(publicKey: string): Promise<RelayDescription> {
      const before = sent.length;
      guarded.relay!.describe({ algorithm: "P-256", publicKey });
      await until(() => sent.length > before);
      return sent.at(-1) as RelayDescription;
    },
    /** Reads a description of the peer. Resolves when it has reached the transport, or the link has ended. */
    async read(description: Description | RelayDescription): Promise<void> {
      const before = received.length + ended.length;
      if ("sdp" in description) network.description(description);
      else relayNetwork(description);
      await until(() => received.length + ended.length > before);
    },
  };
}

/** Ann, who calls, and Bob. */
function createSides(annsOptions: SideOptions = {}, bobsOptions: SideOptions = {}) {
  return { ann: createSide("ann", "bob", "caller", annsOptions), bob: createSide("bob", "ann", "callee", bobsOptions) };
}

/** Both have described themselves. */
async function connected() {
  const sides = createSides();
  const { ann, bob } = sides;
  await bob.read(await ann.describe("offer 1"));
  await ann.read(await bob.describe("answer 1"));
  for (const side of [ann, bob]) side.opened.resolve();
  return sides;
}

const isRefused = { code: "identity-mismatch" };

test("the transport gets descriptions without proofs, once they are checked", async () => {
  const { ann, bob } = await connected();
  expect(bob.received).toEqual([{ type: "offer", sdp: "offer 1" }]);
  expect(ann.received).toEqual([{ type: "answer", sdp: "answer 1" }]);
  expect((ann.sent[0] as Description).proof).toMatch(/^[\w-]{132}$/);
  expect([...ann.ended, ...bob.ended]).toEqual([]);
});

test("candidates, questions and settling wait behind the description, in order", async () => {
  const { ann, bob } = createSides();
  ann.guarded.describe({ type: "offer", sdp: "offer" });
  ann.guarded.candidate({ candidate: "1" });
  ann.guarded.restart();
  ann.guarded.settled();
  expect(ann.sent).toEqual([]);
  await until(() => ann.sent.length === 4);
  expect(ann.sent.slice(1)).toEqual(["1", "restart", "settled"]);
  bob.network.description(ann.sent[0] as Description);
  bob.network.candidate({ candidate: "2" });
  bob.network.restart();
  expect(bob.received).toEqual([]);
  await until(() => bob.received.length === 3);
  expect(bob.received.slice(1)).toEqual(["2", "restart"]);
});

test("candidates behind a refused description do not reach the transport", async () => {
  const { ann, bob } = createSides();
  const offer = await ann.describe("offer");
  bob.network.description({ ...offer, sdp: "changed" });
  bob.network.candidate({ candidate: "1" });
  await until(() => bob.ended.length > 0);
  bob.guarded.candidate({ candidate: "2" });
  bob.guarded.settled();
  await Promise.resolve();
  expect(bob.received).toEqual([]);
  expect(bob.sent).toEqual([]);
  expect(bob.ended).toMatchObject([isRefused]);
});

test("a caller that describes itself again does not want the answer to its earlier offer", async () => {
  const { ann, bob } = await connected();
  await bob.read(await ann.describe("offer 2"));
  const late = await bob.describe("answer 2");
  ann.network.description(late);
  ann.guarded.describe({ type: "offer", sdp: "offer 3" });
  await until(() => ann.sent.length === 3);
  await bob.read(ann.sent[2] as Description);
  await ann.read(await bob.describe("answer 3"));
  expect(ann.received).toEqual([
    { type: "answer", sdp: "answer 1" },
    { type: "answer", sdp: "answer 3" },
  ]);
});

test("a late answer does not stop the next offer", async () => {
  const { ann, bob } = await connected();
  await bob.read(await ann.describe("offer 2"));
  const late = await bob.describe("answer 2");
  ann.guarded.describe({ type: "offer", sdp: "offer 3" });
  ann.network.description(late);
  await until(() => ann.sent.length === 3);
  expect(ann.sent[2]).toMatchObject({ sdp: "offer 3" });
});

test("a transport gets the ICE servers, and learns whether links can be relayed", async () => {
  const { guarded, identity } = createSide("ann", "bob", "caller");
  expect(guarded.iceServers()).toEqual([{ urls: "stun:example.org" }]);
  await expect(guarded.relay!.open("bob", "caller")).resolves.toBeUndefined();
  expect(createSide("ann", "bob", "caller", { hasRelay: false }).guarded.relay).toBeUndefined();
  expect(identity.verified).toBe(false);
});

test("a callee that answers while the next offer is checked still takes that offer, and no outdated one", async () => {
  const { ann, bob } = await connected();
  const [offer2, offer3] = [await ann.describe("offer 2"), await ann.describe("offer 3")];
  bob.network.description(offer2);
  const reading = bob.read(offer3);
  bob.guarded.describe({ type: "answer", sdp: "answer 1" });
  await reading;
  expect(bob.received.slice(1)).toEqual([{ type: "offer", sdp: "offer 3" }]);
});

test("an offer that becomes outdated while its verdict is checked again does not reach the transport", async () => {
  const { ann, bob } = await connected();
  const [offer2, offer3] = [await ann.describe("offer 2"), await ann.describe("offer 3")];
  const { read } = bob.device;
  const newer = Promise.withResolvers<void>();
  const reads = vi.spyOn(bob.device, "read").mockImplementation(async () => {
    const state = await read();
    if (reads.mock.calls.length === 2) await newer.promise;
    return state;
  });
  bob.network.description(offer2);
  await until(() => reads.mock.calls.length === 2);
  const reading = bob.read(offer3);
  newer.resolve();
  await reading;
  expect(bob.received.slice(1)).toEqual([{ type: "offer", sdp: "offer 3" }]);
});

test("a callee does not answer an offer when it has got a newer one", async () => {
  const { ann, bob } = await connected();
  await bob.read(await ann.describe("offer 2"));
  const newer = await ann.describe("offer 3");
  bob.guarded.describe({ type: "answer", sdp: "answer 2" });
  await bob.read(newer);
  expect((await bob.describe("answer 3")).sdp).toBe("answer 3");
  expect(bob.sent).toHaveLength(2);
});

describe("a description of a relayed link", () => {
  test("is signed, and the answer is to the offer of its kind", async () => {
    const { ann, bob } = createSides();
    await bob.read(await ann.describe("offer"));
    await bob.read(await ann.describeRelay("AAAA"));
    await ann.read(await bob.describeRelay("BBBB"));
    await ann.read(await bob.describe("answer"));
    expect(ann.ended).toEqual([]);
    expect(bob.received.at(-1)).toEqual({ algorithm: "P-256", publicKey: "AAAA" });
    expect(ann.received[0]).toEqual({ algorithm: "P-256", publicKey: "BBBB" });
    for (const { identity } of [ann, bob]) expect(identity.hello).toHaveLength(64);
    expect(ann.identity.accepts(bob.identity.hello)).toBe(true);
  });

  test.for<[string, (offer: RelayDescription) => RelayDescription]>([
    ["with the key of somebody else", (offer) => ({ ...offer, publicKey: "CCCC" })],
    ["with another algorithm", (offer) => ({ ...offer, algorithm: "X25519" })],
    ["with a malformed proof", (offer) => ({ ...offer, proof: "AAAA" })],
    ["without its proof, beside a signed SDP,", ({ proof: _, ...offer }) => offer],
  ])("%s is refused", async ([, change]) => {
    const { ann, bob } = createSides();
    await bob.read(await ann.describe("offer"));
    await bob.read(change(await ann.describeRelay("AAAA")));
    expect(bob.ended).toMatchObject([isRefused]);
    expect(bob.received).toHaveLength(1);
  });

  test("with the proof of the SDP is refused", async () => {
    const { ann, bob } = createSides();
    const { proof } = await ann.describe("offer");
    await bob.read({ ...(await ann.describeRelay("AAAA")), proof });
    expect(bob.ended).toMatchObject([isRefused]);
  });

  test("of another device than that of the SDP is refused", async () => {
    const { ann, bob } = createSides();
    await bob.read(await ann.describe("offer"));
    await bob.read(await createSide("ann", "bob", "caller").describeRelay("AAAA"));
    expect(bob.ended).toMatchObject([isRefused]);
  });

  test("that answers another offer is refused", async () => {
    const { ann, bob } = createSides();
    await ann.describeRelay("AAAA");
    await bob.read(await createSide("ann", "bob", "caller").describeRelay("AAAA"));
    await ann.read(await bob.describeRelay("BBBB"));
    expect(ann.ended).toMatchObject([isRefused]);
  });

  test("of a peer that is not verified is refused under require", async () => {
    const { ann, bob } = createSides({}, { verifiedOnly: true });
    await bob.read(await ann.describeRelay("AAAA"));
    expect(bob.ended).toMatchObject([isRefused]);
  });
});

describe("a description is refused", () => {
  test.for<[string, (offer: Description) => Description]>([
    ["with another SDP", (offer) => ({ ...offer, sdp: "changed" })],
    ["with a malformed proof", (offer) => ({ ...offer, proof: "AAAA" })],
    ["of another type", (offer) => ({ ...offer, type: "answer" })],
  ])("%s", async ([, change]) => {
    const { ann, bob } = createSides();
    await bob.read(change(await ann.describe("offer")));
    expect(bob.ended).toMatchObject([isRefused]);
    expect(bob.received).toEqual([]);
  });

  test("that answers before anything was offered", async () => {
    const { ann, bob } = createSides();
    const other = createSide("ann", "bob", "caller");
    await bob.read(await other.describe("offer"));
    await ann.read(await bob.describe("answer"));
    expect(ann.ended).toMatchObject([isRefused]);
  });

  test("that answers the offer of another user, or another offer", async () => {
    const { ann, bob } = createSides();
    const eve = createSide("ann", "bob", "caller");
    await ann.describe("offer");
    await bob.read(await eve.describe("offer"));
    await ann.read(await bob.describe("answer"));
    expect(ann.ended).toMatchObject([isRefused]);
  });

  test("that comes from this client's own id", async () => {
    const mirror = createSide("ann", "ann", "callee");
    const caller = createSide("ann", "ann", "caller");
    await mirror.read(await caller.describe("offer"));
    expect(mirror.ended).toMatchObject([isRefused]);
  });

  test("without a proof after one that had it, and the reverse", async () => {
    const first = await connected();
    const { type, sdp } = await first.ann.describe("offer 2");
    await first.bob.read({ type, sdp });
    expect(first.bob.ended).toMatchObject([isRefused]);
    const { ann, bob } = createSides();
    const offer = await ann.describe("offer");
    await bob.read({ type: "offer", sdp: "offer" });
    expect(bob.received).toHaveLength(1);
    await bob.read(offer);
    expect(bob.ended).toMatchObject([isRefused]);
  });

  test.for([
    ["ann", /"ann" is not verified/],
    ["Us", /A device of this user is not linked/],
  ] as const)("of %s, with what to do", async ([alias, message]) => {
    const { ann, bob } = createSides({}, { verifiedOnly: true, alias });
    await bob.read(await ann.describe("offer"));
    expect(bob.ended[0]!.message).toMatch(message);
  });

  test("of another device than the one before", async () => {
    const { bob } = await connected();
    const other = createSide("ann", "bob", "caller");
    await bob.read(await other.describe("offer 2"));
    expect(bob.ended).toMatchObject([isRefused]);
  });

  test("of a user who is not verified, if only verified ones may connect", async () => {
    const { ann, bob } = createSides({}, { verifiedOnly: true });
    const offer = await ann.describe("offer");
    await bob.read(offer);
    expect(bob.ended).toMatchObject([isRefused]);
    const other = createSide("bob", "ann", "callee", { verifiedOnly: true });
    await other.read({ type: "offer", sdp: "offer" });
    expect(other.ended).toMatchObject([isRefused]);
  });

  test("with text that has no bytes, with and without a proof", async () => {
    for (const parts of [{}, { proof: (await createSides().ann.describe("offer")).proof }]) {
      const { bob } = createSides();
      await bob.read({ type: "offer", sdp: "\ud800", ...parts });
      expect(bob.ended).toMatchObject([{ code: "link-failed" }]);
    }
  });

  test("of a peer that is no longer online", async () => {
    const { ann } = createSides();
    const bob = createSide("bob", "ann", "callee", { alias: undefined });
    await bob.read(await ann.describe("offer"));
    expect(bob.ended).toMatchObject([{ code: "unknown-peer" }]);
  });
});

describe("the hello", () => {
  test("names both keys, and is accepted by the other side only", async () => {
    const { ann, bob } = await connected();
    expect(ann.identity.hello).toHaveLength(64);
    expect(ann.identity.accepts(bob.identity.hello)).toBe(true);
    expect(bob.identity.accepts(ann.identity.hello)).toBe(true);
    for (const wrong of [ann.identity.hello, bob.identity.hello!.subarray(0, 32), undefined, "x", new Uint8Array(64)])
      expect(ann.identity.accepts(wrong)).toBe(false);
  });

  test("has the bytes of the vector", () => {
    const device = vector("her phone's device key, seed 02…02");
    expect(vector("`identity` in the phone's hello to Bob")).toBe(device + vector("Bob's account, seed 03…03"));
  });

  test("reveals that a server has removed the proofs of both sides", async () => {
    const { ann, bob } = createSides();
    const { type, sdp } = await ann.describe("offer");
    await bob.read({ type, sdp });
    const answer = await bob.describe("answer");
    await ann.read({ type: answer.type, sdp: answer.sdp });
    expect([...ann.ended, ...bob.ended]).toEqual([]);
    expect(ann.identity.hello).toHaveLength(32);
    expect(bob.identity.accepts(ann.identity.hello)).toBe(false);
    expect(ann.identity.accepts(bob.identity.hello)).toBe(false);
    // An older version has neither proofs nor keys.
    expect(ann.identity.accepts(undefined)).toBe(true);
  });
});

describe("the record", () => {
  const openDevice = () => createDevice({ algorithms, store: createMemoryStore(), name: "x" });

  test("is read again when it has changed meanwhile", async () => {
    const { ann, bob } = createSides();
    const { record } = await bob.device.read();
    await ann.device.read();
    ann.links.recheck(await ann.device.update((own) => certify(own, "bob", record.account, 1)));
    const { proof } = await ann.describe("offer");
    expect(readProof(proof!).to).toBeDefined();
  });

  /** The device in two tabs. */
  function twoTabs(): readonly [Device, Device] {
    const store = createMemoryStore();
    const open = () => createDevice({ algorithms, store, name: "x" });
    return [open(), open()];
  }

  /** Bob knows Ann, and another tab of his changes the record. `verifiedOnly`: what his policy demands. */
  async function afterChange(change: (own: IdentityRecord, account: string) => IdentityRecord, verifiedOnly = false) {
    const [device, otherTab] = twoTabs();
    const { ann, bob } = createSides({}, { device, verifiedOnly });
    const { account } = (await ann.device.read()).record;
    await device.read();
    if (!verifiedOnly) await device.update((own) => certify(own, "ann", account, 1));
    await otherTab.update((own) => change(own, account));
    await bob.read(await ann.describe("offer"));
    return bob;
  }

  test("of another tab decides whether a peer is refused, and verified", async () => {
    const refusing = await afterChange((own, account) => certify(own, "carol", account, 1));
    expect(refusing.ended).toMatchObject([isRefused]);
    expect(refusing.received).toEqual([]);
    const distrusting = await afterChange((own) => endTrust(own, "ann"));
    expect(distrusting.received).toHaveLength(1);
    expect(distrusting.identity.verified).toBe(false);
  });

  test("of another tab can verify a peer", async () => {
    const bob = await afterChange((own, account) => certify(own, "ann", account, 1), true);
    expect(bob.ended).toEqual([]);
    expect(bob.received).toHaveLength(1);
    expect(bob.identity.verified).toBe(true);
  });

  test("of another tab has the token that a peer answers", async () => {
    const [device, otherTab] = twoTabs();
    const [secret, until] = ["A".repeat(22), Date.now() + 60_000];
    const { ann, bob } = createSides({}, { device });
    await Promise.all([ann.device.read(), device.read()]);
    await otherTab.update((own) => addToken(own, { alias: "ann", secret, until }));
    const claim = { alias: "bob", secret, binding: secret, until, answered: false };
    ann.links.recheck(await ann.device.update((own) => addClaim(own, claim)));
    await bob.read(await ann.describe("offer"));
    expect(bob.ended).toEqual([]);
    expect(bob.identity.verified).toBe(true);
  });

  test("that another tab has deleted verifies nobody", async () => {
    const [device, otherTab] = twoTabs();
    const { ann, bob } = createSides({}, { device });
    const { account } = (await ann.device.read()).record;
    await device.read();
    await device.update((own) => certify(own, "ann", account, 1));
    const offer = await ann.describe("offer");
    await otherTab.reset();
    await bob.read(offer);
    expect(bob.received).toHaveLength(1);
    expect(bob.identity.verified).toBe(false);
  });

  test("is judged again if another tab deletes it before the verdict is written", async () => {
    const [device, otherTab] = twoTabs();
    const { ann, bob } = createSides({}, { device });
    const { account } = (await ann.device.read()).record;
    const before = (await device.read()).record;
    const { update } = device;
    const updating = vi.spyOn(device, "update");
    updating.mockImplementationOnce(async (change) => {
      await otherTab.reset();
      return update(change);
    });
    await bob.read(await ann.describe("offer"));
    expect(updating).toHaveBeenCalledTimes(2);
    const { record } = await device.read();
    expect(record.device.publicKey).not.toBe(before.device.publicKey);
    expect(record.users).toMatchObject([{ alias: "ann", seen: account }]);
  });

  test("is compared anew with the proof if another tab adds a token before the verdict is written", async () => {
    const [device, otherTab] = twoTabs();
    const [secret, until] = ["A".repeat(22), Date.now() + 60_000];
    const { ann, bob } = createSides({}, { device });
    await Promise.all([ann.device.read(), device.read()]);
    const claim = { alias: "bob", secret, binding: secret, until, answered: false };
    ann.links.recheck(await ann.device.update((own) => addClaim(own, claim)));
    const { update } = device;
    vi.spyOn(device, "update").mockImplementationOnce(async (change) => {
      await otherTab.update((own) => addToken(own, { alias: "ann", secret, until }));
      return update(change);
    });
    await bob.read(await ann.describe("offer"));
    expect(bob.ended).toEqual([]);
    expect(bob.identity.verified).toBe(true);
    expect((await device.read()).record).toMatchObject({
      tokens: [],
      users: [{ alias: "ann", since: expect.any(Number) }],
    });
  });

  test("is compared once with a proof", async () => {
    const accountOf = vi.fn(() => undefined);
    const { ann, bob } = createSides({}, { accountOf });
    await bob.read(await ann.describe("offer"));
    expect(bob.records).toHaveLength(1);
    expect(accountOf).toHaveBeenCalledExactlyOnceWith("ann");
  });

  test("is not needed to refuse a wrong proof", async () => {
    const device = { ...openDevice(), read: () => Promise.reject(new Error("The disk is full.")) };
    const { ann, bob } = createSides({}, { device });
    await bob.read({ ...(await ann.describe("offer")), sdp: "changed" });
    expect(bob.ended).toMatchObject([isRefused]);
  });

  test("ends the attempt if it cannot be read", async () => {
    const store = { ...createMemoryStore(), update: () => Promise.reject(new Error("The disk is full.")) };
    const device = createDevice({ algorithms, store, name: "x" });
    // One that never describes itself reports nothing.
    createSide("ann", "bob", "caller", { device });
    const ann = createSide("ann", "bob", "caller", { device });
    ann.guarded.describe({ type: "offer", sdp: "offer" });
    await until(() => ann.ended.length > 0);
    expect(ann.ended).toMatchObject([{ code: "unsupported" }]);
    const failure = new Error("The worker has ended.");
    vi.spyOn(device, "read").mockRejectedValue(failure);
    const next = createSide("ann", "bob", "caller", { device });
    next.guarded.describe({ type: "offer", sdp: "offer" });
    await until(() => next.ended.length > 0);
    expect(next.ended).toMatchObject([{ code: "link-failed", cause: failure }]);
  });
});

test("a device that is to join is approved as soon as it was met", async () => {
  const { ann, bob } = createSides({ alias: "Us" }, { alias: "Us" });
  for (const [side, other] of [
    [ann, bob],
    [bob, ann],
  ] as const) {
    const { publicKey } = (await other.device.read()).record.device;
    await side.device.read();
    side.links.recheck(await side.device.update((own) => ({ ...own, joining: [publicKey] })));
  }
  const approvalIn = ({ proof }: Description) => readProof(proof!).approval;
  const offer = await ann.describe("offer");
  expect(approvalIn(offer)).toBeUndefined();
  await bob.read(offer);
  const answer = await bob.describe("answer");
  expect(approvalIn(answer)).toBeDefined();
  await ann.read(answer);
  expect(approvalIn(await ann.describe("offer 2"))).toBeDefined();
});

describe("a link that is checked again", () => {
  /** A device that its account has approved. */
  const createDerivedDevice = () =>
    createDevice({
      algorithms,
      store: createMemoryStore(),
      name: "x",
      deriveAccount: () => algorithms.fromSeed(new Uint8Array(32).fill(1)),
    });

  /** How a record lists a removed device. */
  const removed = (device: string) => toBase64Url(halfOf(fromBase64Url(device)!));

  /** Bob has got Ann's offer. `knows`: her account is certain for her name. */
  async function offered(bobsOptions: SideOptions = {}, { annsDevice = {}, knows = false } = {}) {
    const { ann, bob } = createSides(annsDevice, bobsOptions);
    const { account, device } = (await ann.device.read()).record;
    await bob.device.read();
    if (knows) await bob.device.update((own) => certify(own, "ann", account, 1));
    await bob.read(await ann.describe("offer"));
    return { ann, bob, account, device: device.publicKey, record: (await bob.device.read()).record };
  }

  test("ends when the trust in its peer ends, or begins", async () => {
    const known = await offered({}, { knows: true });
    known.bob.links.recheck(known.record);
    expect(known.bob.ended).toEqual([]);
    known.bob.links.recheck(endTrust(known.record, "ann"));
    expect(known.bob.ended).toMatchObject([{ code: "disconnected" }]);
    const unknown = await offered();
    unknown.bob.links.recheck(unknown.record);
    expect(unknown.bob.ended).toEqual([]);
    unknown.bob.links.recheck(certify(unknown.record, "ann", unknown.account, 1));
    expect(unknown.bob.ended).toMatchObject([{ code: "disconnected" }]);
  });

  test("stays where a verified user knows another account of this one, while nothing changes", async () => {
    const { ann, bob } = createSides();
    const { account } = (await ann.device.read()).record;
    const another = toBase64Url(new Uint8Array(32).fill(7));
    await ann.device.update((own) => certify(own, "bob", another, 1));
    await bob.device.read();
    await bob.device.update((own) => certify({ ...own, unlinked: true }, "ann", account, 1));
    await bob.read(await ann.describe("offer"));
    expect(bob.identity.verified).toBe(false);
    bob.links.recheck((await bob.device.read()).record);
    expect(bob.ended).toEqual([]);
    bob.links.recheck({ ...(await bob.device.read()).record, formerAccounts: [another] });
    expect(bob.ended).toMatchObject([{ code: "disconnected" }]);
  });

  test.for(["written", "given by the app's directory"])(
    "of a device that another client removes at any moment while the verdict is %s ends or does not open",
    async (how) => {
      const isWritten = how === "written";
      const annsDevice = createDerivedDevice();
      const { account, device: key } = (await annsDevice.read()).record;
      for (let turns = 1; turns < 20; turns++) {
        const store = createMemoryStore();
        const otherClient = createDevice({ algorithms, store, name: "x" });
        let removing: Promise<IdentityRecord> | undefined;
        const remove = async () => {
          for (let turn = 0; turn < turns; turn++) await Promise.resolve();
          return otherClient.update((own) => addRemoved(own, account, [removed(key.publicKey)]));
        };
        const device = createDevice({ algorithms, store, name: "x" });
        await device.read();
        if (!isWritten) await device.update((own) => certify(own, "ann", account, 1));
        const accountOf = () => {
          if (!isWritten) removing ??= remove();
          return undefined;
        };
        const { ann, bob } = createSides({ device: annsDevice }, { device, accountOf });
        const offer = await ann.describe("offer");
        device.subscribe(async () => {
          const { record } = await device.read();
          bob.records.push(record);
          bob.links.recheck(record);
        });
        const { update } = device;
        vi.spyOn(device, "update").mockImplementation((change) =>
          update((own) => {
            removing ??= remove();
            return change(own);
          }),
        );
        await bob.read(offer);
        await removing;
        await until(() => bob.ended.length > 0);
        expect(bob.records.at(-1)?.removed).toHaveLength(1);
      }
    },
  );

  test("stays where the app's directory has denied the peer", async () => {
    const { bob, record, account } = await offered({ accountOf: () => "another account" });
    bob.links.recheck(certify(record, "ann", account, 1));
    expect(bob.ended).toEqual([]);
  });

  test("ends when the trust that the app's directory has begun ends", async () => {
    let account = "";
    const { ann, bob } = createSides({}, { accountOf: () => account });
    account = (await ann.device.read()).record.account;
    await bob.read(await ann.describe("offer"));
    expect(bob.identity.verified).toBe(true);
    bob.links.recheck(endTrust((await bob.device.read()).record, "ann"));
    expect(bob.ended).toMatchObject([{ code: "disconnected" }]);
  });

  test("of a device that is removed while the app's directory is asked does not open", async () => {
    const directory = Promise.withResolvers<undefined>();
    const asked = Promise.withResolvers<void>();
    const accountOf = () => {
      asked.resolve();
      return directory.promise;
    };
    const { ann, bob } = createSides({ device: createDerivedDevice() }, { accountOf });
    const { account, device } = (await ann.device.read()).record;
    await bob.device.read();
    await bob.device.update((own) => certify(own, "ann", account, 1));
    const reading = bob.read(await ann.describe("offer"));
    await asked.promise;
    bob.links.recheck(await bob.device.update((own) => addRemoved(own, account, [removed(device.publicKey)])));
    directory.resolve(undefined);
    await reading;
    expect(bob.ended).toMatchObject([isRefused]);
    expect(bob.received).toEqual([]);
  });

  test("of a removed device is refused", async () => {
    const annsDevice = { device: createDerivedDevice() };
    const { bob, record, account, device } = await offered({}, { annsDevice, knows: true });
    bob.links.recheck(addRemoved(record, account, [removed(device)]));
    expect(bob.ended).toMatchObject([isRefused]);
  });

  test("of an own device ends once that is in the account", async () => {
    const { bob, record, account } = await offered({ alias: "Us" });
    bob.links.recheck(record);
    expect(bob.ended).toEqual([]);
    bob.links.recheck({ ...record, account });
    expect(bob.ended).toMatchObject([{ code: "disconnected" }]);
  });

  test("of an own device stays while a code verifies it", async () => {
    const { ann, bob } = createSides({}, { alias: "Us" });
    const { account } = (await ann.device.read()).record;
    const { record } = await bob.device.read();
    await bob.device.update((own) => ({ ...own, account }));
    await bob.read(await ann.describe("offer"));
    expect(bob.identity.verified).toBe(true);
    bob.links.recheck(record);
    expect(bob.ended).toEqual([]);
  });

  test("stays without a proof, and before the peer has described itself", async () => {
    const { ann, bob } = createSides();
    await bob.read({ type: "offer", sdp: "offer" });
    const { record } = await bob.device.read();
    bob.links.recheck(record);
    expect(bob.ended).toEqual([]);
    ann.links.recheck((await ann.device.read()).record);
    ann.links.end(() => true, new BonevalueError("disconnected", "A token was claimed."));
    expect(ann.ended).toEqual([]);
  });
});

describe("in a room", () => {
  /** A device of those who have a secret. */
  const memberWith = (secret: number): Device => {
    const deriveAccount = () => algorithms.fromSeed(new Uint8Array(32).fill(secret));
    return createDevice({ algorithms, store: createMemoryStore(), name: "x", deriveAccount });
  };

  async function join(annsSecret: number | undefined, verifiedOnly: boolean) {
    const anns = annsSecret === undefined ? {} : { device: memberWith(annsSecret) };
    const { ann, bob } = createSides({ ...anns, isRoom: true }, { device: memberWith(1), isRoom: true, verifiedOnly });
    const { proof, ...offer } = await ann.describe("offer");
    await bob.read(annsSecret === undefined ? offer : { ...offer, proof });
    return bob;
  }

  test("a member with the secret is verified, and stays so", async () => {
    for (const verifiedOnly of [false, true]) {
      const bob = await join(1, verifiedOnly);
      expect(bob.identity.verified).toBe(true);
      bob.links.recheck((await bob.device.read()).record);
      expect([bob.ended, bob.records]).toEqual([[], []]);
    }
  });

  test.for([2, undefined])("with the secret %s somebody is not verified, and refused under require", async (secret) => {
    const lenient = await join(secret, false);
    expect([lenient.received.length, lenient.identity.verified]).toEqual([1, false]);
    const strict = await join(secret, true);
    expect(strict.ended).toMatchObject([isRefused]);
    expect(strict.received).toEqual([]);
  });
});

test("a change of the record is written before the transport gets the description, and reported once", async () => {
  const store = createMemoryStore();
  const written = Promise.withResolvers<void>();
  let isGated = false;
  const gated: typeof store = {
    ...store,
    async update(name, change) {
      if (isGated) await written.promise;
      return store.update(name, change);
    },
  };
  const { ann, bob } = createSides({}, { device: createDevice({ algorithms, store: gated, name: "x" }) });
  await bob.device.read();
  isGated = true;
  const reading = bob.read(await ann.describe("offer"));
  for (let turn = 0; turn < 5; turn++) await algorithms.hash(new Uint8Array());
  expect(bob.received).toEqual([]);
  written.resolve();
  await reading;
  expect(bob.received).toHaveLength(1);
  expect(bob.records).toMatchObject([{ users: [{ alias: "ann" }] }]);
  await bob.read(await ann.describe("offer 2"));
  expect(bob.records).toHaveLength(1);
});

test("a link ends once", async () => {
  const { ann } = createSides();
  const reason = new BonevalueError("disconnected", "The identity was reset.");
  ann.links.endAll(reason);
  ann.links.endAll(reason);
  expect(ann.ended).toEqual([reason]);
});

test("an attempt ends as an open link does: when its verdict changes, and when the identity is reset", async () => {
  const { ann, bob } = createSides();
  await bob.read(await ann.describe("offer"));
  const { record } = await ann.device.read();
  const known = await bob.device.update((own) => certify(own, "ann", record.account, 1));
  bob.links.recheck((await ann.device.read()).record);
  expect(bob.ended).toEqual([]);
  bob.links.recheck(known);
  expect(bob.ended).toMatchObject([{ code: "disconnected" }]);
  const reason = new BonevalueError("disconnected", "The identity was reset.");
  ann.links.endAll(reason);
  expect(ann.ended).toEqual([reason]);
});

test("the links of a user can be ended, verified or not", async () => {
  const { ann, bob } = await connected();
  const reason = new BonevalueError("disconnected", "A token was claimed.");
  ann.links.end((alias, verified) => alias === "bob" && verified, reason);
  expect(ann.ended).toEqual([]);
  ann.links.end((alias, verified) => alias === "bob" && !verified, reason);
  expect(ann.ended).toEqual([reason]);
  bob.closed.resolve(undefined);
  await bob.closed.promise;
  bob.links.endAll(reason);
  expect(bob.ended).toEqual([]);
  const filter = vi.fn(() => true);
  bob.links.end(filter, reason);
  expect(filter).not.toHaveBeenCalled();
});

test("nothing is sent or received on a link that has closed", async () => {
  const { ann, bob } = await connected();
  const late = await ann.describe("offer 2");
  bob.closed.resolve(undefined);
  await bob.closed.promise;
  const [sent, received] = [bob.sent.length, bob.received.length];
  bob.guarded.candidate({ candidate: "1" });
  bob.network.description(late);
  bob.network.candidate({ candidate: "2" });
  for (let turn = 0; turn < 20; turn++) await algorithms.hash(new Uint8Array());
  expect([bob.sent.length, bob.received.length]).toEqual([sent, received]);
});

describe("an open link", () => {
  test("ends by the pool when a restart is refused", async () => {
    const { ann, bob } = await connected();
    const offer = await ann.describe("offer 2");
    await bob.read({ ...offer, sdp: "changed" });
    expect(bob.ended).toMatchObject([isRefused]);
    expect(bob.dropped).toEqual(["ann"]);
    expect(bob.refused).toEqual([]);
  });

  test("does not survive a reset of the own identity", async () => {
    const { ann } = await connected();
    await ann.device.reset();
    ann.guarded.describe({ type: "offer", sdp: "offer 2" });
    await until(() => ann.ended.length > 0);
    expect(ann.ended).toMatchObject([isRefused]);
  });
});

test("a description without a proof is refused once a key is known, before the transport gets it", async () => {
  const { ann, bob } = createSides();
  const { record } = await ann.device.read();
  await bob.device.read();
  await bob.device.update((own) => certify(own, "ann", record.account, 1));
  await bob.read({ type: "offer", sdp: "offer" });
  expect(bob.received).toEqual([]);
  expect(bob.ended).toMatchObject([isRefused]);
  expect(bob.dropped).toEqual([]);
});

test("a dial that the peer has refused is reported, and one that this side has refused is not", async () => {
  const { ann, bob } = createSides();
  await ann.describe("offer");
  ann.closed.resolve(Object.assign(new Error(), { code: "identity-mismatch" }) as BonevalueError);
  await until(() => ann.refused.length > 0);
  expect(ann.refused).toEqual(["bob"]);
  await bob.read({ type: "offer", sdp: "x", proof: "AAAA" });
  await bob.closed.promise;
  expect(bob.refused).toEqual([]);
});

test.for<[string, SideOptions, boolean, string | undefined]>([
  ["without a reason", {}, false, undefined],
  ["for another reason", {}, false, "link-failed"],
  ["when it was open", {}, true, "identity-mismatch"],
  ["after the peer has gone", { alias: undefined }, false, "identity-mismatch"],
])("a link that ends %s is no refusal", async ([, options, isOpen, code]) => {
  const bob = createSide("bob", "ann", "callee", options);
  if (isOpen) {
    bob.opened.resolve();
    await bob.link.opened;
  }
  bob.closed.resolve(code === undefined ? undefined : (Object.assign(new Error(), { code }) as BonevalueError));
  await bob.closed.promise;
  await Promise.resolve();
  expect(bob.refused).toEqual([]);
});
