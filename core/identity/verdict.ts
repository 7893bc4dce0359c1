import type { BonevalueError } from "../errors.ts";
import type { Alias } from "../peer.ts";
import { mismatch, type Proof } from "./proof.ts";
import type { IdentityRecord } from "./record.ts";

/** The results of the asynchronous cryptography on a description, computed before the record is changed. */
export interface Evidence {
  /** The name by which discovery calls the sender. */
  readonly alias: Alias;
  /** A proof with a valid signature and chain, if the description has one. */
  readonly proof?: Proof | undefined;
  /** The account that the app's directory names, if it names one. */
  readonly expected?: string | undefined;
  /** The secret of the own token that the proof's `claim` answers. */
  readonly answers?: string | undefined;
  /** The secret of the claimed token that was made by the proof's account. */
  readonly makerOf?: string | undefined;
  /** Whether the proof's `approval` admits this device to the proof's account. */
  readonly approves?: boolean | undefined;
  /** Whether the proof's `issued` is about the own account. */
  readonly issues?: boolean | undefined;
  /** Whether the proof's `presented` was signed by a device of the own account, about this user and account. */
  readonly introduces?: boolean | undefined;
  /** In ms since 1970. */
  readonly now: number;
}

/** The outcome of a check. */
export interface Verdict {
  readonly record: IdentityRecord;
  /** Whether the peer's account is certain. */
  readonly verified: boolean;
  /** Why the description is refused under every policy. */
  readonly refusal?: BonevalueError | undefined;
}

/** The outcome for a description that every policy refuses. */
export function refuse(record: IdentityRecord, message: string): Verdict {
  return { record, verified: false, refusal: mismatch(message) };
}
