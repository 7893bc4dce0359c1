import type { Clock } from "../clock.ts";
import { BonevalueError } from "../errors.ts";
import type { Limits } from "../limits.ts";
import type { Connection } from "../links/connection.ts";
import type { Pool } from "../links/pool.ts";
import type { PeerId } from "../peer.ts";
import type { Query } from "../peers/query.ts";
import type { Deadlines } from "../rpc/deadlines.ts";
import type { Received } from "../wire/codec.ts";
import type { PresenceDefinition } from "./definition.ts";
import type { Engine } from "./engine.ts";

/** The client, as its presence sees it. Times in ms. */
export interface PresenceOptions {
  readonly clock: Clock;
  readonly deadlines: Deadlines;
  readonly limits: Pick<Limits, "depth">;
  /** Links at once that this side dials. */
  readonly maxLinks: number;
  readonly pool: Pick<Pool<any>, "whenOpen">;
  /** The id of this peer, or an empty string. */
  self(): PeerId;
  /** How long a link stays open after its last use. */
  keepOpenMs(): number;
  /** Whether `allow` matches the peer. */
  isAllowed(allow: Query, peer: PeerId): boolean;
  /** Called with the faults of other peers' values. */
  failed(error: BonevalueError): void;
}

/** One open link, as presence sees it. */
export interface PresenceLink {
  readonly connection: Pick<Connection, "peer" | "scheduler" | "remote" | "keepOpen" | "close">;
  /** The names that the peer subscribes to, offered or not. */
  readonly requested: Set<string>;
  /** The newest version that was accepted of each name that we have ever subscribed to on this link, or 0. */
  readonly versions: Map<string, number>;
  /** The acknowledgements that wait for the channel: the newest version of each name. */
  readonly acks: Map<string, number>;
  /** Returns a value that has arrived. Throws `protocol` if it is malformed. */
  unpack(value: Received): unknown;
}

/** The part of presence that every client loads. It opens nothing. */
export interface Presence {
  readonly links: Map<Connection<any>, PresenceLink>;
  /** The engine, once the page has used a definition. */
  readonly engine: Engine | undefined;
  /** Returns the engine, which a definition brings along. Throws `invalid-request` for anything else. */
  engineOf(definition: PresenceDefinition<any>): Engine;
}

/** The property of a definition that holds the function which creates the engine. */
export const createEngineKey: unique symbol = Symbol("createEngine");

/** The maximum number of names that one side subscribes to on a link, and the maximum length of a name, in characters. */
export const maxNames = 128;
export const maxPresenceNameLength = 128;

/** Creates the presence of a client, without an engine. */
export function createPresence(options: PresenceOptions): Presence {
  const links: Presence["links"] = new Map();
  let engine: Engine | undefined;
  return {
    links,
    get engine() {
      return engine;
    },
    engineOf(definition) {
      const createEngine = Object(definition)[createEngineKey];
      if (!createEngine)
        throw new BonevalueError(
          "invalid-request",
          "Pass what definePresence() returns, of the same copy of this library as the client.",
        );
      engine ??= createEngine(options, links) as Engine;
      return engine;
    },
  };
}
