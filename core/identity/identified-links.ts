import { type Bytes, concat, fromBase64Url, isEqual, toBase64Url } from "../bytes.ts";
import { BonevalueError } from "../errors.ts";
import type { Alias, PeerId } from "../peer.ts";
import { us } from "../protocol/alias.ts";
import type {
  Description,
  Link,
  LinkIdentity,
  RelayDescription,
  SignalExchange,
  Transport,
} from "../transport/transport.ts";
import type { Algorithms } from "./algorithms.ts";
import type { Device } from "./device.ts";
import { type AccountOf, bodyFor, evidenceOf } from "./evidence.ts";
import { judge } from "./judge.ts";
import {
  createProof,
  deviceOf,
  hashDescription,
  hashOffer,
  mismatch,
  type Proof,
  readProof,
  tampered,
  verifyProof,
} from "./proof.ts";
import { hasRemovedKey, type IdentityRecord, isForAnother, userOf } from "./record.ts";
import type { Verdict } from "./verdict.ts";

// Signs the descriptions of links and checks those of the peers. docs/protocol.md, "Identity".
//
// The exchange of each attempt is wrapped: what the transport describes is signed before it leaves, and a description of
// the peer is checked before the transport gets it. Both take a moment, so each direction has a queue, where candidates
// wait behind their description. A description that becomes outdated in its queue is dropped: a caller that describes
// itself again does not want the answer to its earlier offer, and a callee that has got a newer offer does not answer
// the earlier one.
//
// A relayed link has descriptions of its own, which the same devices sign. An answer signs the offer of its kind.

/** The sign-in, as its links see it. */
export interface IdentifiedLinksOptions {
  readonly algorithms: Algorithms;
  readonly device: Pick<Device, "read" | "update">;
  readonly transport: Transport;
  /** In a room, all peers that have its secret are one account, and nothing is stored about the others. */
  readonly isRoom: boolean;
  /** Refuses peers that are not verified. */
  readonly verifiedOnly: boolean;
  /** The app scope of the sign-in; empty without one. */
  readonly app: string;
  readonly accountOf: AccountOf | undefined;
  /** The own peer id. */
  self(): PeerId;
  /** The name by which discovery calls a peer now. */
  nameOf(peer: PeerId): Alias | undefined;
  /** Ends an open link. */
  endLink(peer: PeerId, reason: BonevalueError): void;
  /** A description has changed the record. */
  onRecord(record: IdentityRecord): void;
  /** A peer has refused the identity of this device. */
  onRefused(alias: Alias): void;
}

/** The links of one sign-in. */
export interface IdentifiedLinks {
  /** As the transport's `open`. */
  open(
    peer: PeerId,
    role: "caller" | "callee",
    exchange: SignalExchange,
  ): { readonly link: Link; readonly identity: LinkIdentity };
  /** Ends the links of removed devices, and the links whose verdict has changed. */
  recheck(record: IdentityRecord): void;
  /** Ends the links whose peer has described itself, and for which `filter` returns true. */
  end(filter: (alias: Alias, verified: boolean) => boolean, reason: BonevalueError): void;
  /** Ends every link and every attempt. */
  endAll(reason: BonevalueError): void;
}

/** A description, and the proof with which it was sent. */
interface Described {
  readonly hash: Bytes;
  readonly proof: Bytes;
}

/** The newest descriptions of one kind: SDPs, or those of a relayed link. */
interface Descriptions {
  own?: Described;
  remote?: Described;
  /** How often the caller has described itself. A newer description makes the waiting work outdated. */
  generation: number;
}

/** The peer's newest description, which was checked. */
interface Remote extends Described {
  readonly alias: Alias;
  readonly parsed: Proof | undefined;
  readonly verified: boolean;
}

/** A link, or an attempt to make one. */
interface SignedLink {
  readonly remote: Remote | undefined;
  end(reason: BonevalueError): void;
}

/** Creates the links of one sign-in. Each ends with the link of the transport. */
export function createIdentifiedLinks(options: IdentifiedLinksOptions): IdentifiedLinks {
  const { algorithms, device, transport, isRoom, verifiedOnly, app, self, endLink } = options;
  const links = new Set<SignedLink>();

  // The own user's devices that were met. A caller can approve the device of a peer only when it dials again.
  const met = new Map<PeerId, Bytes>();

  function aliasOf(peer: PeerId): Alias {
    const alias = options.nameOf(peer);
    if (alias === undefined) throw new BonevalueError("unknown-peer", `Peer ${peer} is no longer online.`);
    return isRoom ? us : alias;
  }

  /** Judges a peer by the record. Throws if the peer is refused. */
  async function isVerified(alias: Alias, proof: Proof | undefined): Promise<boolean> {
    const { record: known } = await device.read();
    if (isRoom) {
      const isMember = proof !== undefined && toBase64Url(proof.account) === known.account;
      if (verifiedOnly && !isMember) throw notVerified(alias);
      return isMember;
    }
    const evidence = await evidenceOf(algorithms, known, alias, proof, options.accountOf);
    let verdict: Verdict | undefined = judge(known, evidence);
    if (verdict.record !== known) {
      verdict = undefined;
      await device.update((current) => {
        verdict = basisOf(current) === basisOf(known) ? judge(current, evidence) : undefined;
        return verdict?.record ?? current;
      });
      options.onRecord((await device.read()).record);
      // Another tab has changed or deleted meanwhile what the evidence depends on.
      if (!verdict) return isVerified(alias, proof);
    }
    if (verdict.refusal) throw verdict.refusal;
    if (verifiedOnly && !verdict.verified) throw notVerified(alias);
    return verdict.verified;
  }

  function open(peer: PeerId, role: "caller" | "callee", exchange: SignalExchange) {
    const session: Descriptions = { generation: 0 };
    const relay: Descriptions = { generation: 0 };
    let ownDevice: Bytes | undefined;
    let remote: Remote | undefined;
    let isOpen = false;
    let isRefused = false;
    const enqueueOutgoing = createQueue();
    const enqueueIncoming = createQueue();

    function fail(cause: unknown): void {
      if (isRefused) return;
      isRefused = true;
      const reason = asLinkError(cause);
      if (isOpen) endLink(peer, reason);
      else link.close(reason);
    }

    function createQueue() {
      let last: Promise<void> = Promise.resolve();
      return (step: () => void | Promise<void>) => {
        last = last.then(() => (isRefused ? undefined : step())).catch(fail);
      };
    }

    async function sign<D extends Description | RelayDescription>(description: D, newest: Descriptions): Promise<D> {
      const { remote: offer } = newest;
      const [state, hash, answered] = await Promise.all([
        device.read(),
        hashDescription(algorithms, description),
        role === "callee" ? hashOffer(algorithms, offer!.hash, offer!.proof) : undefined,
      ]);
      ownDevice ??= state.key.publicKey;
      if (!isEqual(ownDevice, state.key.publicKey)) throw mismatch("The identity was reset meanwhile. Call again.");
      const body = await bodyFor(algorithms, state, aliasOf(peer), met.get(peer));
      const proof = await createProof(state.key, body, { role, app, from: self(), to: peer, own: hash, answered });
      newest.own = { hash, proof };
      return { ...description, proof: toBase64Url(proof) };
    }

    async function check(description: Description | RelayDescription, { own }: Descriptions): Promise<Remote> {
      const isOfOtherType = "type" in description && description.type !== (role === "caller" ? "answer" : "offer");
      if (peer === self() || (role === "caller" && !own) || isOfOtherType) throw tampered();
      const alias = aliasOf(peer);
      const { proof: text } = description;
      const parsed = text === undefined ? undefined : readProof(text);
      const hash = await verify(description, parsed, own);
      if (remote && !hasSameDevice(remote.parsed, parsed)) throw mismatch("An open link changed to another device.");
      const verified = await isVerified(alias, parsed);
      if (parsed && alias === us) met.set(peer, deviceOf(parsed));
      return { alias, parsed, verified, hash, proof: text === undefined ? new Uint8Array() : fromBase64Url(text)! };
    }

    /** Checks the signatures of a description. Returns the description's hash. */
    async function verify(
      description: Description | RelayDescription,
      proof: Proof | undefined,
      own: Described | undefined,
    ): Promise<Bytes> {
      const hashing = Promise.all([
        hashDescription(algorithms, description),
        role === "caller" ? hashOffer(algorithms, own!.hash, own!.proof) : undefined,
      ]);
      if (proof) {
        const signer = { role: role === "caller" ? "callee" : "caller", app, from: peer, to: self() } as const;
        const context = hashing.then(([own, answered]) => ({ ...signer, own, answered }));
        await verifyProof(algorithms, proof, context);
      }
      return (await hashing)[0];
    }

    /** Returns a function that signs a description and sends it. */
    function signing<D extends Description | RelayDescription>(newest: Descriptions, send: (description: D) => void) {
      return (description: D) => {
        if (role === "caller") newest.generation++;
        const current = newest.generation;
        enqueueOutgoing(async () => {
          const signed = await sign(description, newest);
          if (current === newest.generation) send(signed);
        });
      };
    }

    /** Returns a function that checks a description and passes it on. */
    function checking<D extends Description | RelayDescription>(newest: Descriptions, pass: (description: D) => void) {
      return (description: D) => {
        if (role === "callee") newest.generation++;
        const current = newest.generation;
        enqueueIncoming(async () => {
          const checked = await check(description, newest);
          if (current !== newest.generation) return;
          remote = newest.remote = checked;
          // A change that was reported since the verdict has not met this link.
          const reason = whyOutdated((await device.read()).record, checked);
          if (reason) throw reason;
          if (current === newest.generation) pass({ ...description, proof: undefined });
        });
      };
    }

    const { relay: relayExchange } = exchange;
    const guarded: SignalExchange = {
      describe: signing(session, exchange.describe),
      candidate: (candidate) => enqueueOutgoing(() => exchange.candidate(candidate)),
      restart: () => enqueueOutgoing(exchange.restart),
      settled: () => enqueueOutgoing(exchange.settled),
      listen(listener) {
        exchange.listen({
          description: checking(session, listener.description),
          candidate: (candidate) => enqueueIncoming(() => listener.candidate(candidate)),
          restart: () => enqueueIncoming(listener.restart),
        });
      },
      iceServers: () => exchange.iceServers(),
      relay: relayExchange && {
        ...relayExchange,
        describe: signing(relay, relayExchange.describe),
        remote: new Promise((resolve) => relayExchange.remote.then(checking<RelayDescription>(relay, resolve))),
      },
    };

    const link = transport.open(peer, role, guarded);
    const signed: SignedLink = {
      get remote() {
        return remote;
      },
      end: fail,
    };
    links.add(signed);
    link.opened.then(
      () => {
        isOpen = true;
      },
      () => {},
    );
    link.closed.then((reason) => {
      links.delete(signed);
      const alias = options.nameOf(peer);
      const isRefusal = !isOpen && !isRefused && reason?.code === "identity-mismatch";
      if (isRefusal && alias !== undefined) options.onRefused(alias);
      isRefused = true;
    });
    const identity: LinkIdentity = {
      get verified() {
        return remote?.verified ?? false;
      },
      get hello() {
        return concat(ownDevice!, ...(remote?.parsed ? [deviceOf(remote.parsed)] : []));
      },
      accepts(hello) {
        if (!remote?.parsed) return hello === undefined;
        return hello instanceof Uint8Array && isEqual(hello, concat(deviceOf(remote.parsed), ownDevice!));
      },
    };
    return { link, identity };
  }

  /** Why a link cannot stay open with this record, if it cannot. */
  function whyOutdated(record: IdentityRecord, { alias, parsed, verified }: Remote): BonevalueError | undefined {
    if (!parsed) return undefined;
    const account = toBase64Url(parsed.account);
    if (hasRemovedKey(record, account, parsed.chain))
      return mismatch("The peer's device has been removed from its account.");
    const certain = alias === us ? record.account : userOf(record, alias).certain;
    const isCertain = certain === account && !isForAnother(record, parsed);
    // A device that is being linked is verified by its code. The app's directory may deny what a token has verified.
    if (isCertain === verified || (alias === us && verified) || (options.accountOf && !verified)) return undefined;
    return redialError(`Verification of "${alias}" has changed.`);
  }

  return {
    open,
    end(filter, reason) {
      for (const { remote, end } of [...links]) if (remote && filter(remote.alias, remote.verified)) end(reason);
    },
    endAll(reason) {
      for (const { end } of [...links]) end(reason);
    },
    recheck(record) {
      for (const { remote, end } of [...links]) {
        const reason = remote && whyOutdated(record, remote);
        if (reason) end(reason);
      }
    },
  };
}

/** All of a record that evidence depends on. */
function basisOf({ account, device, tokens, claims }: IdentityRecord): string {
  return JSON.stringify([account, device.publicKey, tokens, claims]);
}

/** The error of a link that has to be dialed again, because of `why`. */
export function redialError(why: string): BonevalueError {
  return new BonevalueError("disconnected", `${why} Call again to reconnect.`);
}

function hasSameDevice(a: Proof | undefined, b: Proof | undefined): boolean {
  return a && b ? isEqual(deviceOf(a), deviceOf(b)) : a === b;
}

function notVerified(alias: Alias): BonevalueError {
  return mismatch(
    alias === us
      ? "A device of this user is not linked: link it with a code from requestToken and claimToken."
      : `"${alias}" is not verified: exchange a token, or compare the safety number and call acceptIdentity().`,
  );
}

function asLinkError(cause: unknown): BonevalueError {
  if (cause instanceof BonevalueError) return cause;
  return new BonevalueError("link-failed", "The identity of the link could not be checked: see the cause.", { cause });
}
