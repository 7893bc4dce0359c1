import * as v from "valibot";
import type { Schemas, ToClient } from "./messages.ts";

const text = v.string();
// Checked, since a string query also matches a peer by its id: an id must not read as an alias.
const peerId = v.custom<string>(isPeerId);
const version = v.number();
const nothing = v.unknown();
const relayed = v.object({ from: text, signal: v.unknown() });
const peer = v.object({ name: text, id: peerId, profile: v.optional(v.unknown()) });
const named = v.object({ name: text });
const time = v.custom<string>(isTime);
const device = v.object({ id: text, created: time, used: time, current: v.boolean() });
const iceServer = v.object({
  urls: v.custom<string | string[]>((urls) => [urls].flat().every((url) => typeof url === "string")),
  username: v.optional(text),
  credential: v.optional(text),
});

/** The schemas of the messages of a server, by type. */
export const toClient: Schemas<ToClient> = {
  setPeerId: v.object({
    ...{ version, peerId: text, username: text, session: text, resumed: v.boolean() },
    features: v.optional(v.array(text)),
    app: v.optional(text),
    room: v.optional(text),
    device: v.optional(text),
  }),
  userList: v.array(text),
  iceServers: v.object({ servers: v.array(iceServer), expires: v.optional(text) }),
  peerList: v.array(peer),
  userAdd: text,
  userRemove: text,
  peerConnect: peer,
  peerDisconnect: text,
  peerUpdates: v.array(v.tuple([text, v.unknown()])),
  peerRequest: relayed,
  peerResponse: relayed,
  relayResponse: v.object({ url: text, ticket: text }),
  relayOffer: v.object({ from: text, url: text, ticket: text }),
  inviteResponse: v.object({ alias: v.optional(text) }),
  tokenResponse: v.object({ token: text, expires: time }),
  claimResponse: named,
  removeResponse: named,
  passwordResponse: v.object({ session: text }),
  deviceList: v.object({ devices: v.array(device) }),
  forgetResponse: nothing,
  ping: nothing,
  pong: nothing,
  reconnect: v.object({ after: v.number() }),
  error: v.object({ code: text, message: text, after: v.optional(v.number()) }),
};

function isPeerId(value: unknown): boolean {
  return typeof value === "string" && /^[0-9a-f]{32}$/.test(value);
}

function isTime(value: unknown): boolean {
  return typeof value === "string" && !Number.isNaN(Date.parse(value));
}
