import type { StandardSchemaV1 } from "@standard-schema/spec";
import { requireSchema } from "../check-arguments.ts";
import { BonevalueError } from "../errors.ts";
import type { Peer } from "../peer.ts";
import type { Query } from "../peers/query.ts";
import { createEngine } from "./engine.ts";
import { createEngineKey, maxPresenceNameLength } from "./presence.ts";

type Schema = StandardSchemaV1<any, any>;

/** A named value that each peer may have, for example the position of its cursor. {@link definePresence} returns it. */
export interface PresenceDefinition<S extends Schema | undefined = any> {
  /** The name that both sides use, of 1 to 128 characters. */
  readonly name: string;
  /** Validates the values of others. */
  readonly schema: S;
}

/** The value that a peer sets. */
export type PresenceInput<D> =
  D extends PresenceDefinition<infer S> ? (S extends StandardSchemaV1<infer I, any> ? I : any) : never;
/** The value that other peers get. */
export type PresenceOutput<D> =
  D extends PresenceDefinition<infer S> ? (S extends StandardSchemaV1<any, infer O> ? O : any) : never;

/** Options of `client.presence`. */
export interface PresenceOfferOptions {
  /** The peers that may subscribe, by default `"*"`. For others it looks as if the name were not offered. */
  allow?: Query | undefined;
  /** The shortest time between two values that are sent, in ms. Default: 0.55 for each subscriber, and at least 16. */
  interval?: number | undefined;
}

/** The value of this peer. */
export interface OwnPresence<T> {
  /** The value that was set last. */
  readonly value: T;
  /**
   * Sets the value and sends it to the peers that subscribe. They may miss values between two that are sent, but always get
   * the latest. Throws `too-large` above 16 KiB, and `invalid-request` for a value that cannot be sent. Has no effect after
   * `stop`.
   */
  set(value: T): void;
  /** Withdraws the value. */
  stop(): void;
}

/** The value of another peer. Frozen; the same object until the value, the peer or `stale` changes. */
export interface PeerPresence<T> {
  /** The peer that set the value. */
  readonly peer: Peer;
  /** Its latest value, validated. */
  readonly value: T;
  /** Whether the link to the peer is lost and dialed again. The value is removed if that takes more than 10 s. */
  readonly stale: boolean;
}

/**
 * Declares a value that each peer may have and others can follow: a cursor, a selection, whether somebody types. The schema
 * (any Standard Schema) validates the values of other peers. Throws `invalid-request` unless `name` is a string of 1 to
 * 128 characters and `schema` is missing or a Standard Schema.
 *
 * @example
 * const Cursor = definePresence("Cursor", v.object({ x: v.number(), y: v.number() }));
 * const mine = client.presence(Cursor, { x: 0, y: 0 });
 * onpointermove = ({ x, y }) => mine.set({ x, y });
 * client.get("*").presence(Cursor).subscribe((others) => draw(others));
 */
export function definePresence<S extends Schema | undefined = undefined>(
  name: string,
  schema?: S,
): PresenceDefinition<S> {
  if (typeof name !== "string" || name === "" || name.length > maxPresenceNameLength) {
    throw new BonevalueError("invalid-request", `Name the presence, in 1 to ${maxPresenceNameLength} characters.`);
  }
  requireSchema(schema);
  // It brings the code along, so that apps without presence do not load it: docs/decisions/presence.md.
  const definition = { name, schema: schema as S, [createEngineKey]: createEngine };
  return Object.freeze(definition);
}
