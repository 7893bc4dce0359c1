import type { SignalKind } from "../../protocol/messages.ts";
import { createMemoryStore } from "../key-store.ts";
import type { IdentityOptions } from "../options.ts";
import type { Attack, HostileServer } from "./hostile-server.ts";
import { isSignal, kindOf } from "./hostile-server.ts";
import { createPuppet, type Puppet } from "./puppet.ts";

// What a hostile discovery server can do. Each attack tries to get a message to a user in the name of another user, or
// to change one. It speaks only the frames of docs/protocol.md.

/** A user of the app, in Node or in a browser. */
export interface Target {
  readonly username: string;
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  requestToken(alias: string): Promise<string>;
  claimToken(alias: string, token: string): Promise<void>;
  /** Calls Echo with this text. Returns the answer and whether the link is verified, or the code of the failure. */
  call(alias: string, text: string): Promise<{ answer: string; verified: boolean } | { failure: string }>;
  /** The calls that were handled. */
  calls(): Promise<readonly { from: string; text: string; verified: boolean }[]>;
}

/** The users, and the server that they use. Nobody is connected or trusts another user. */
export interface World {
  readonly hostile: HostileServer;
  readonly ann: Target;
  readonly bob: Target;
  readonly eve: Target;
  /** Creates another client of an account, with keys of its own. */
  login(username: string): Target;
}

/** What the attack achieved: a message that a target took for another user's, and what the target was told of it. */
export type Outcome = "stopped" | "passed, not verified" | "passed, verified";

/** The mark of what the server has changed. */
export const mark = "(changed)";

/** All attacks, by the name that the design gives them. */
export const attacks: Readonly<Record<string, (world: World) => Promise<Outcome>>> = {
  async relay(world) {
    await meet(world);
    await relay(world, { passesProofs: true });
    return callBothWays(world);
  },
  async "relay at once"(world) {
    await world.ann.connect();
    await world.bob.connect();
    const token = await world.ann.requestToken("Bob");
    const relaying = relayOnceTrusted(world, { passesProofs: true });
    await world.bob.claimToken("Ann", token);
    await relaying;
    return callBothWays(world);
  },
  async fingerprint(world) {
    await meet(world);
    changeFingerprints(world);
    return callBothWays(world);
  },
  async downgrade(world) {
    await meet(world);
    await relay(world, { passesProofs: false });
    return callBothWays(world);
  },
  async "downgrade at once"(world) {
    await world.ann.connect();
    await world.bob.connect();
    const token = await world.ann.requestToken("Bob");
    const relaying = relayOnceTrusted(world, { passesProofs: false });
    await world.bob.claimToken("Ann", token);
    await relaying;
    return callBothWays(world);
  },
  async replay(world) {
    const proofs = recordProofs(world);
    await meet(world);
    const annsId = world.hostile.tapOf(world.ann.username).peer;
    const bob = world.hostile.tapOf(world.bob.username);
    await world.ann.call("Bob", "recorded");
    // Bob does not learn that Ann has gone.
    const hideLeave: Attack["fromServer"] = (frame) => (frame.type === "peerDisconnect" ? undefined : frame);
    world.hostile.attack.fromServer = hideLeave;
    await world.ann.disconnect();
    const puppet = await createPuppet(annsId, [{ id: bob.peer, name: "Bob" }], (kind, _to, signal) => {
      bob.toClient({ type: kind, data: { from: annsId, signal: withProof(signal, proofs.get(world.ann.username)) } });
    });
    divert(world.hostile, [puppet]);
    world.hostile.attack.fromServer = hideLeave;
    return callAs(puppet, bob.peer, world.bob);
  },
  async swap(world) {
    const { hostile, ann, eve } = world;
    await meet(world);
    await eve.connect();
    await befriend(ann, "Eve", eve, "Ann");
    await ann.disconnect();
    hostile.attack = {
      fromServer(frame, to) {
        if (to.username !== ann.username) return frame;
        const rename = (peer: { name: string }) => ({
          ...peer,
          name: { Bob: "Eve", Eve: "Bob" }[peer.name] ?? peer.name,
        });
        if (frame.type === "peerList") return { ...frame, data: frame.data.map(rename) };
        return frame.type === "peerConnect" ? { ...frame, data: rename(frame.data) } : frame;
      },
    };
    await ann.connect();
    const outcome = await ann.call("Bob", `for Bob ${mark}`);
    return judge(await eve.calls(), outcome);
  },
  async login(world) {
    await meet(world);
    await world.ann.disconnect();
    const other = world.login(world.ann.username);
    await other.connect();
    await other.call("Bob", `from Ann ${mark}`);
    return judge(await world.bob.calls());
  },
  async impostor(world) {
    await meet(world);
    await relay(world, { passesProofs: false, keys: true });
    return callBothWays(world);
  },
  async splice(world) {
    const { hostile, ann, bob, eve } = world;
    await Promise.all([ann.connect(), bob.connect(), eve.connect()]);
    const annsToken = await ann.requestToken("Bob");
    const evesToken = await eve.requestToken("Bob");
    hostile.attack = {
      fromClient(frame, from) {
        if (frame.type !== "claimToken" || from.username !== bob.username) return frame;
        return { ...frame, data: { ...frame.data, token: evesToken.split(".")[0] } };
      },
    };
    await bob.claimToken("Ann", annsToken);
    const outcome = await bob.call("Ann", `for Ann ${mark}`);
    return judge(await eve.calls(), outcome);
  },
  async stranger(world) {
    await meet(world);
    const ann = world.hostile.tapOf(world.ann.username);
    const id = "00000000000000000000000000000001";
    const puppet = await createPuppet(
      id,
      [{ id: ann.peer, name: "Ann" }],
      (kind, _to, signal) => ann.toClient({ type: kind, data: { from: id, signal } }),
      keys(),
    );
    divert(world.hostile, [puppet]);
    ann.toClient({ type: "userAdd", data: "Carol" });
    ann.toClient({ type: "peerConnect", data: { name: "Carol", id } });
    return callAs(puppet, ann.peer, world.ann);
  },
  async room(world) {
    const { hostile, ann, bob } = world;
    await meet(world);
    await bob.disconnect();
    hostile.attack = {
      fromServer: (frame) =>
        frame.type === "setPeerId" ? { ...frame, data: { ...frame.data, room: "a room" } } : frame,
    };
    await bob.connect().catch(() => {});
    const tap = hostile.tapOf(bob.username);
    const id = hostile.tapOf(ann.username).peer;
    const puppet = await createPuppet(id, [{ id: tap.peer, name: "Bob" }], (kind, _to, signal) =>
      tap.toClient({ type: kind, data: { from: id, signal } }),
    );
    divert(hostile, [puppet]);
    return callAs(puppet, tap.peer, bob);
  },
  async leak(world) {
    const { hostile, ann, bob } = world;
    await ann.connect();
    await bob.connect();
    const token = await ann.requestToken("Bob");
    await bob.claimToken("Ann", token);
    await bob.call("Ann", "hello");
    const part = token.split(".")[1] ?? "";
    return part === "" || hostile.recorded.some((frame) => frame.includes(part)) ? "passed, verified" : "stopped";
  },
};

/** Ann and Bob trust each other, and have talked. The server has only listened. */
async function meet({ ann, bob }: World): Promise<void> {
  await ann.connect();
  await bob.connect();
  await befriend(ann, "Bob", bob, "Ann");
  // The links of this sign-in end, so the next calls make new ones.
  await ann.disconnect();
  await bob.disconnect();
  await ann.connect();
  await bob.connect();
}

async function befriend(a: Target, aliasOfB: string, b: Target, aliasOfA: string): Promise<void> {
  await b.claimToken(aliasOfA, await a.requestToken(aliasOfB));
  const outcome = await b.call(aliasOfA, "hello");
  if ("failure" in outcome) throw new Error(`The users could not meet: ${outcome.failure}`);
}

interface RelayOptions {
  /** Sends on the proofs of the victims with the descriptions of the attacker. */
  readonly passesProofs: boolean;
  /** The attacker has keys, and signs. */
  readonly keys?: boolean;
}

/** Puts a puppet in the place of each of two users. They pass calls on, and change them. */
async function relay({ hostile, ann, bob }: World, options: RelayOptions): Promise<void> {
  const [a, b] = [hostile.tapOf(ann.username), hostile.tapOf(bob.username)];
  const proofs = new Map<string, string>();
  const identity = options.keys ? keys() : "off";
  const sendTo =
    (target: typeof a, own: string) =>
    (kind: SignalKind, _to: string, signal: any): void => {
      const passed = options.passesProofs ? withProof(signal, proofs.get(own)) : signal;
      target.toClient({ type: kind, data: { from: own, signal: passed } });
    };
  // Each has the id of the user whom it plays.
  const bobToAnn = await createPuppet(b.peer, [{ id: a.peer, name: "Ann" }], sendTo(a, b.peer), identity);
  const annToBob = await createPuppet(a.peer, [{ id: b.peer, name: "Bob" }], sendTo(b, a.peer), identity);
  passOn(bobToAnn, annToBob, b.peer);
  passOn(annToBob, bobToAnn, a.peer);
  divert(hostile, [bobToAnn, annToBob], (from, proof) => proofs.set(from, proof));
}

/** Relays from the moment when two users see each other. */
async function relayOnceTrusted(world: World, options: RelayOptions): Promise<void> {
  const { hostile } = world;
  const held: (() => void)[] = [];
  const seen = Promise.withResolvers<void>();
  hostile.attack = {
    fromClient: (frame) => (isSignal(frame) ? undefined : frame),
    fromServer(frame, to) {
      if (frame.type !== "peerConnect") return frame;
      held.push(() => to.toClient(frame));
      if (held.length === 2) seen.resolve();
      return undefined;
    },
  };
  await seen.promise;
  await relay(world, options);
  for (const pass of held) pass();
}

function passOn(from: Puppet, to: Puppet, peer: string): void {
  from.client.module("Echo", ({ request }) => to.client.get({ peer }).call("Echo", `${request} ${mark}`).first());
}

function keys(): IdentityOptions {
  return { policy: "tofu", keyStore: createMemoryStore() };
}

/** Replaces every fingerprint by one of the server's. */
function changeFingerprints({ hostile }: World): void {
  const other = Array.from({ length: 32 }, () => "AB").join(":");
  hostile.attack = {
    fromClient(frame) {
      const { description } = (isSignal(frame) && frame.data.signal) || {};
      if (!description) return frame;
      const sdp = description.sdp.replace(/(a=fingerprint:sha-256 )\S+/g, `$1${other}`);
      return {
        ...frame,
        data: { ...frame.data, signal: { ...frame.data.signal, description: { ...description, sdp } } },
      };
    },
  };
}

/** The newest proof of each user's offers and answers. */
function recordProofs({ hostile }: World): ReadonlyMap<string, string> {
  const proofs = new Map<string, string>();
  hostile.attack = {
    fromClient(frame, from) {
      const proof = isSignal(frame) && frame.data.signal.description?.proof;
      if (proof) proofs.set(from.username, proof);
      return frame;
    },
  };
  return proofs;
}

function withProof(signal: any, proof: string | undefined): unknown {
  if (!signal.description || !proof) return signal;
  return { ...signal, description: { ...signal.description, proof } };
}

/** Gives the signals for some peer ids to puppets. */
function divert(
  hostile: HostileServer,
  puppets: readonly Puppet[],
  onProof?: (from: string, proof: string) => void,
): void {
  hostile.attack = {
    fromClient(frame, { peer }) {
      const puppet = isSignal(frame) && puppets.find(({ id }) => id === frame.data.to);
      if (!puppet) return frame;
      const { proof } = frame.data.signal.description ?? {};
      if (proof) onProof?.(peer, proof);
      puppet.receive(kindOf(frame), peer, frame.data.signal);
      return undefined;
    },
  };
}

async function callAs(puppet: Puppet, to: string, target: Target): Promise<Outcome> {
  await puppet.client
    .get({ peer: to })
    .call("Echo", `as a friend ${mark}`, { timeout: 5_000 })
    .first()
    .catch(() => {});
  return judge(await target.calls());
}

async function callBothWays({ ann, bob }: World): Promise<Outcome> {
  const outcomes = [
    judge(await bob.calls(), await ann.call("Bob", "from Ann")),
    judge(await ann.calls(), await bob.call("Ann", "from Bob")),
  ];
  const calls = [judge(await bob.calls()), judge(await ann.calls())];
  const all = [...outcomes, ...calls];
  return (
    all.find((outcome) => outcome === "passed, verified") ?? all.find((outcome) => outcome !== "stopped") ?? "stopped"
  );
}

/** The worst of what a target was told about changed messages, as caller and as callee. */
function judge(
  calls: readonly { readonly text: string; readonly verified: boolean }[],
  outcome?: { answer: string; verified: boolean } | { failure: string },
): Outcome {
  const verdicts = calls.filter(({ text }) => text.includes(mark)).map(({ verified }) => verified);
  if (outcome && "answer" in outcome && outcome.answer.includes(mark)) verdicts.push(outcome.verified);
  if (verdicts.length === 0) return "stopped";
  return verdicts.includes(true) ? "passed, verified" : "passed, not verified";
}
