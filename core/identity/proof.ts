import { type Bytes, concat, fromBase64Url, integer, isEqual, label, prefixed, readInteger, utf8 } from "../bytes.ts";
import { BonevalueError } from "../errors.ts";
import { descriptionBytes } from "../transport/description-bytes.ts";
import { type Algorithms, isWeakKey, type SigningKey } from "./algorithms.ts";

// The bytes of proofs. docs/protocol.md, "Identity", has the formats and the reasons.
//
// A proof says who sends a description: the account, the approvals that lead from the account's key to the device's, and
// a signature of the device over the proof, both peer ids, the description, and in an answer also the offer and its
// proof. `readProof` reads any bytes, and `verifyProof` makes at most 20 signature checks.

/** One entry of an approval chain: a device's key, and the signature by which the key before it approves this one. */
export interface Approval {
  readonly key: Bytes;
  readonly signature: Bytes;
}

/** A signed statement for the other devices of one's account: this account is the user we call so. */
export interface Introduction {
  /** When the account was verified under that name, in ms since 1970. */
  readonly time: number;
  /** A hash of the name and of the account that signs, see {@link hashAlias}. */
  readonly name: Bytes;
  readonly signature: Bytes;
}

/** An introduction, and the approval chain of the device that signed it. */
export interface ChainedIntroduction extends Introduction {
  readonly chain: readonly Approval[];
}

/** The content of a proof. An absent part is `undefined`. */
export interface ProofBody {
  readonly account: Bytes;
  readonly chain: readonly Approval[];
  /** The account that is certain for the name by which the sender calls the receiver. */
  readonly to?: Bytes | undefined;
  /** The sender is the only device of its account, has approved none, and has verified no user. */
  readonly single: boolean;
  /** Answers a token. */
  readonly claim?: Bytes | undefined;
  /** Approves the receiver's device key. */
  readonly approval?: Bytes | undefined;
  /** An introduction that the receiver should keep. */
  readonly issued?: Introduction | undefined;
  /** The introduction that the sender has received from another device of the receiver's account. */
  readonly presented?: ChainedIntroduction | undefined;
  /** The first halves of removed device keys of the sender's account. */
  readonly removed: readonly Bytes[];
}

/** A proof as it was received. */
export interface Proof extends ProofBody {
  readonly body: Bytes;
  readonly signature: Bytes;
}

/** The data beside the proof that its signature covers. */
export interface LinkContext {
  readonly role: "caller" | "callee";
  /** The app scope of the sign-in; empty without one. */
  readonly app: string;
  /** The peer ids of the signer and of the other side. */
  readonly from: string;
  readonly to: string;
  /** The hash of the signer's description, see {@link hashDescription}. */
  readonly own: Bytes;
  /** In an answer: {@link hashOffer}. */
  readonly answered?: Bytes | undefined;
}

/** The longest approval chain. A device whose own chain has this length cannot approve others. */
export const maxChainLength = 8;
/** The removed devices that a proof can list. */
export const maxListedRemovals = 32;

const version = 1;
const keySize = 32;
const removedSize = 16;

/** The key of the device that a chain leads to. */
export function deviceOf({ account, chain }: Pick<ProofBody, "account" | "chain">): Bytes {
  return chain.at(-1)?.key ?? account;
}

/** The form in which keys of removed devices are kept and sent. */
export function halfOf(key: Bytes): Bytes {
  return key.subarray(0, removedSize);
}

/** Writes the body of a proof. */
export function writeBody(body: ProofBody): Bytes {
  const { account, chain, to, single, claim, approval, issued, presented, removed } = body;
  // In the order of their bits in the flags. A part that is only a bit has no bytes.
  const parts = [
    to,
    single && concat(),
    claim,
    approval,
    issued && writeIntroduction(issued),
    presented && concat(writeChain(presented.chain), writeIntroduction(presented)),
    removed.length > 0 && concat(integer(removed.length, 1), ...removed),
  ];
  const flags = parts.reduce((all: number, part, bit) => (part ? all | (1 << bit) : all), 0);
  return concat(Uint8Array.of(version, flags), account, writeChain(chain), ...parts.filter((part) => !!part));
}

/** Writes an approval chain. */
export function writeChain(chain: readonly Approval[]): Bytes {
  return concat(integer(chain.length, 1), ...chain.flatMap(({ key, signature }) => [key, signature]));
}

/** Reads an approval chain that {@link writeChain} has written. */
export function readChain(bytes: Bytes): readonly Approval[] {
  return createReader(bytes).chain();
}

/** Writes the time, name and signature of an introduction. */
export function writeIntroduction({ time, name, signature }: Introduction): Bytes {
  return concat(integer(time, 8), name, signature);
}

/** Reads an introduction that {@link writeIntroduction} has written. */
export function readIntroduction(bytes: Bytes): Introduction {
  return createReader(bytes).introduction();
}

/** Signs a description. Returns the proof, to be sent in base64url. */
export async function createProof(key: SigningKey, body: ProofBody, context: LinkContext): Promise<Bytes> {
  const bytes = writeBody(body);
  return concat(bytes, await key.sign(linkMessage(bytes, context)));
}

/**
 * Reads a proof, in base64url. Throws `identity-mismatch` unless it is well-formed: of version 1, of the exact length of
 * its parts, without a weak key, and without its own keys in its list of removed keys.
 */
export function readProof(text: string): Proof {
  const bytes = fromBase64Url(text);
  if (!bytes) throw malformed();
  const reader = createReader(bytes);
  const [found, flags = 0] = reader.take(2);
  // The highest bit is unused.
  if (found !== version || flags > 127) throw malformed();
  const has = (bit: number) => ((flags >> bit) & 1) > 0;
  const account = reader.key();
  const chain = reader.chain();
  const to = has(0) ? reader.key() : undefined;
  const single = has(1);
  const claim = has(2) ? reader.take(16) : undefined;
  const approval = has(3) ? reader.take(64) : undefined;
  const issued = has(4) ? reader.introduction() : undefined;
  const presented = has(5) ? { chain: reader.chain(), ...reader.introduction() } : undefined;
  const removed = has(6) ? reader.removed() : [];
  const body = bytes.slice(0, bytes.length - reader.left);
  const signature = reader.take(64);
  if (reader.left > 0) throw malformed();
  const own = [account, ...chain.map(({ key }) => key)].map(halfOf);
  if (removed.some((half) => own.some((key) => isEqual(key, half)))) throw malformed();
  return { account, chain, to, single, claim, approval, issued, presented, removed, body, signature };
}

/** Throws `identity-mismatch` unless the device has signed this description and the account has approved the device. */
export async function verifyProof(
  algorithms: Algorithms,
  proof: Proof,
  context: LinkContext | Promise<LinkContext>,
): Promise<void> {
  const message = Promise.resolve(context).then((known) => linkMessage(proof.body, known));
  const [isSigned, isLinked] = await Promise.all([
    algorithms.verify(deviceOf(proof), proof.signature, message),
    isChainSigned(algorithms, proof.account, proof.chain),
  ]);
  if (!isSigned) throw tampered();
  if (!isLinked) {
    throw mismatch("The peer's proof of identity has an invalid approval. Link that device again.");
  }
}

/** Whether each key of a chain has signed the next one. */
export async function isChainSigned(
  algorithms: Algorithms,
  account: Bytes,
  chain: readonly Approval[],
): Promise<boolean> {
  let signer = account;
  for (const { key, signature } of chain) {
    if (!(await algorithms.verify(signer, signature, approvalMessage(account, key)))) return false;
    signer = key;
  }
  return true;
}

/** Approves another device of the account. */
export function approve(key: SigningKey, account: Bytes, device: Bytes): Promise<Bytes> {
  return key.sign(approvalMessage(account, device));
}

/** Whether `signer` has approved `device`. */
export function isApproved(
  algorithms: Algorithms,
  signer: Bytes,
  account: Bytes,
  device: Bytes,
  approval: Bytes,
): Promise<boolean> {
  return algorithms.verify(signer, approval, approvalMessage(account, device));
}

/** Signs an introduction of the account `other` for the devices of `account`. */
export async function introduce(
  key: SigningKey,
  { account, other, name, time }: { account: Bytes; other: Bytes; name: Bytes; time: number },
): Promise<Introduction> {
  return { time, name, signature: await key.sign(introductionMessage(account, other, name, time)) };
}

/** Whether `signer` has introduced the account `other` to the devices of `account`. */
export function isIntroduced(
  algorithms: Algorithms,
  signer: Bytes,
  account: Bytes,
  other: Bytes,
  { name, time, signature }: Introduction,
): Promise<boolean> {
  return algorithms.verify(signer, signature, introductionMessage(account, other, name, time));
}

/** The form of an alias in introductions: another user can test a guess, and not read it. */
export async function hashAlias(algorithms: Algorithms, account: Bytes, alias: string): Promise<Bytes> {
  return (await algorithms.hash(label("alias"), account, utf8(alias))).subarray(0, 16);
}

/** The hash of a description, as proofs use it. */
export async function hashDescription(
  algorithms: Algorithms,
  description: Parameters<typeof descriptionBytes>[0],
): Promise<Bytes> {
  return algorithms.hash(descriptionBytes(description));
}

/** The parts of an offer that the answer signs. `proof` is empty if the offer had none. */
export function hashOffer(algorithms: Algorithms, description: Bytes, proof: Uint8Array): Promise<Bytes> {
  return algorithms.hash(description, proof);
}

/** The bytes under the signature of a proof. */
export function linkMessage(body: Bytes, { role, app, from, to, own, answered }: LinkContext): Bytes {
  return concat(
    label("link"),
    integer(body.length, 4),
    body,
    Uint8Array.of(role === "caller" ? 0 : 1),
    prefixed(app),
    prefixed(from),
    prefixed(to),
    own,
    answered ?? new Uint8Array(32),
  );
}

/** The error of a check that failed. */
export function mismatch(message: string): BonevalueError {
  return new BonevalueError("identity-mismatch", message);
}

/** The error of a description that its sender has not signed for this link. */
export function tampered(): BonevalueError {
  return mismatch("The connection was changed on its way, or repeated: do not trust this server.");
}

function approvalMessage(account: Bytes, device: Bytes): Bytes {
  return concat(label("approval"), account, device);
}

function introductionMessage(account: Bytes, other: Bytes, name: Bytes, time: number): Bytes {
  return concat(label("introduction"), account, other, name, integer(time, 8));
}

function malformed(): BonevalueError {
  return mismatch("The peer's proof of identity is malformed. Update the app on that side.");
}

function createReader(bytes: Bytes) {
  let offset = 0;

  function take(size: number): Bytes {
    if (offset + size > bytes.length) throw malformed();
    offset += size;
    return bytes.slice(offset - size, offset);
  }

  function key(): Bytes {
    const taken = take(keySize);
    if (isWeakKey(taken)) throw malformed();
    return taken;
  }

  return {
    take,
    key,
    get left() {
      return bytes.length - offset;
    },
    chain(): readonly Approval[] {
      const length = take(1)[0]!;
      if (length > maxChainLength) throw malformed();
      return Array.from({ length }, () => ({ key: key(), signature: take(64) }));
    },
    introduction(): Introduction {
      const time = readInteger(take(8));
      if (!Number.isSafeInteger(time)) throw malformed();
      return { time, name: take(16), signature: take(64) };
    },
    removed(): readonly Bytes[] {
      const length = take(1)[0]!;
      if (length === 0 || length > maxListedRemovals) throw malformed();
      return Array.from({ length }, () => take(removedSize));
    },
  };
}
