import { anything, type Check, count, listOf, object, optional, text } from "../checks.ts";

// docs/protocol.md, "Discovery". Each side validates what it receives; unknown fields pass.

/** The protocol's version, told in the first frame each way. */
export const discoveryVersion = 1;

/** The frame that everything travels in, as JSON text. A request that wants an answer carries an `id`. */
export interface Envelope {
  readonly type: string;
  readonly data?: unknown;
  readonly id?: number | undefined;
  /** Beside a `peerDisconnect`: its socket has only been gone for the grace. */
  readonly lost?: boolean | undefined;
}

/** How a socket proves whose it is. `session` is the secret for coming back. */
export type Proof =
  | { readonly username: string; readonly password: string }
  | { readonly token: string; readonly session?: string | undefined }
  | { readonly session: string };

interface Relay {
  readonly to: string;
  readonly signal?: unknown;
}

interface Relayed {
  readonly from: string;
  readonly signal?: unknown;
}

interface WirePeer {
  readonly name: string;
  readonly id: string;
}

/** Nobody looks at it. */
type Nothing = unknown;

/** What a client says: the data of each type. */
export interface ToServer {
  readonly authenticate: { readonly version: number } & Proof;
  readonly acceptInvite: { readonly version: number; readonly invite: string; readonly password: string };
  readonly peerRequest: Relay;
  readonly peerResponse: Relay;
  readonly inviteUser: { readonly email: string };
  readonly requestToken: { readonly name: string };
  readonly claimToken: { readonly name: string; readonly token: string };
  readonly removeUser: { readonly name: string };
  readonly changePassword: { readonly current: string; readonly password: string };
  readonly ping: Nothing;
  readonly pong: Nothing;
  readonly bye: { readonly back?: boolean | undefined };
}

/** What a server says: the data of each type. Times are ISO 8601, spans are ms. */
export interface ToClient {
  readonly setPeerId: {
    readonly version: number;
    readonly peerId: string;
    readonly username: string;
    readonly session: string;
    readonly resumed: boolean;
  };
  readonly userList: readonly string[];
  readonly iceServers: { readonly servers: readonly IceServer[]; readonly expires?: string | undefined };
  readonly peerList: readonly WirePeer[];
  readonly userAdd: string;
  readonly userRemove: string;
  readonly peerConnect: WirePeer;
  readonly peerDisconnect: string;
  readonly peerRequest: Relayed;
  readonly peerResponse: Relayed;
  readonly inviteResponse: Nothing;
  readonly tokenResponse: { readonly token: string; readonly expires: string };
  readonly claimResponse: { readonly name: string };
  readonly removeResponse: { readonly name: string };
  readonly passwordResponse: { readonly session: string };
  readonly ping: Nothing;
  readonly pong: Nothing;
  readonly reconnect: { readonly after: number };
  readonly error: { readonly code: string; readonly message: string; readonly after?: number | undefined };
}

/** An RTCIceServer as it stands in JSON. */
export interface IceServer {
  readonly urls: string | string[];
  readonly username?: string | undefined;
  readonly credential?: string | undefined;
}

const word = text();
const number: Check<number> = (value): value is number => typeof value === "number";
const flag: Check<boolean> = (value): value is boolean => typeof value === "boolean";
const time: Check<string> = (value): value is string => word(value) && !Number.isNaN(Date.parse(value));
const urls: Check<string | string[]> = (value): value is string | string[] => [value].flat().every(word);

const relayed = object<Relayed>({ from: word, signal: anything });
const peer = object<WirePeer>({ name: word, id: word });
const named = object({ name: word });
const iceServer = object<IceServer>({ urls, username: optional(word), credential: optional(word) });

/** The frame around every message, both ways. */
export const isEnvelope: Check<Envelope> = object({
  type: word,
  data: anything,
  id: optional(count(1)),
  lost: optional(flag),
});

/** The data of everything that a client understands, by type. */
export const toClient: { readonly [Type in keyof ToClient]: Check<ToClient[Type]> } = {
  setPeerId: object({ version: number, peerId: word, username: word, session: word, resumed: flag }),
  userList: listOf(word),
  iceServers: object({ servers: listOf(iceServer), expires: optional(word) }),
  peerList: listOf(peer),
  userAdd: word,
  userRemove: word,
  peerConnect: peer,
  peerDisconnect: word,
  peerRequest: relayed,
  peerResponse: relayed,
  inviteResponse: anything,
  tokenResponse: object({ token: word, expires: time }),
  claimResponse: named,
  removeResponse: named,
  passwordResponse: object({ session: word }),
  ping: anything,
  pong: anything,
  reconnect: object({ after: number }),
  error: object({ code: word, message: word, after: optional(number) }),
};
