export { type Client, type ClientOptions, createClient } from "./client.ts";
export type { Diagnosis } from "./diagnose.ts";
export { broadcastChannel } from "./discovery/broadcast-channel.ts";
export type {
  Credentials,
  Device,
  Discovery,
  DiscoveryEvents,
  DiscoverySession,
  InvitationNames,
  OpenOptions,
  SecretKeeper,
  Snapshot,
  StoredCredentials,
  TrustToken,
} from "./discovery/discovery.ts";
export { websocket } from "./discovery/websocket.ts";
export { BonevalueError, type ErrorCode } from "./errors.ts";
export type { KeyStore } from "./identity/key-store.ts";
export { indexedDbKeyStore, memoryKeyStore } from "./identity/key-stores.ts";
export type { IdentityOptions, IdentityPolicy, OwnIdentity, UserIdentity } from "./identity/options.ts";
export type { Limits } from "./limits.ts";
export type { LinkState } from "./links/link-states.ts";
export { overrideModule } from "./override-module.ts";
export type { Alias, Peer, PeerId, PeerInfo, Profile } from "./peer.ts";
export type { Query } from "./peers/query.ts";
export {
  definePresence,
  type OwnPresence,
  type PeerPresence,
  type PresenceDefinition,
  type PresenceInput,
  type PresenceOfferOptions,
  type PresenceOutput,
} from "./presence/definition.ts";
export type { SignalKind } from "./protocol/messages.ts";
export type { Live } from "./reactive.ts";
export type { OpenRelay, RelayAccess, RelaySocket } from "./relay-access.ts";
export type { CallOptions } from "./rpc/call.ts";
export type { Progress } from "./rpc/call-peer.ts";
export type { CallProgress, CallState } from "./rpc/latest-call.ts";
export {
  type Args,
  defineModule,
  type Handler,
  type HandlerContext,
  type Module,
  type NamedHandlerContext,
  type RequestInput,
  type RequestOutput,
  type ResponseInput,
  type ResponseOutput,
} from "./rpc/module.ts";
export type { Replies, RepliesState, Reply } from "./rpc/replies.ts";
export type { IncomingStream } from "./rpc/streams/incoming-stream.ts";
export type { FileBlobOptions, FileProgress, FileStreamOptions, RemoteFile } from "./rpc/streams/remote-file.ts";
export { file, stream } from "./rpc/streams/stream-schema.ts";
export type { MessageOptions, Target } from "./rpc/target.ts";
export type { Events, Self, Status } from "./session.ts";
export type {
  Candidate,
  Channel,
  Description,
  Link,
  LinkEvents,
  LinkPath,
  Reach,
  RelayDescription,
  RelayExchange,
  SignalExchange,
  SignalListener,
  Transport,
} from "./transport/transport.ts";
export { type WebRtcOptions, webrtc } from "./transport/webrtc.ts";
export type { TrustState } from "./trust.ts";
