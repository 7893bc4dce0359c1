import { birpc } from "./birpc.ts";
import { bonevalue, bonevalueAtInitialMark, bonevalueByRelay, bonevalueWithRelayOffered } from "./bonevalue.ts";
import { capnweb } from "./capnweb.ts";
import type { Library } from "./library.ts";
import { peerjs } from "./peerjs.ts";
import { raw } from "./raw.ts";
import { rawBatched } from "./raw-batched.ts";
import { relayPipe } from "./relay-pipe.ts";
import { simplePeer } from "./simple-peer.ts";
import { trystero } from "./trystero.ts";

/** All libraries by the name in tables and plots. */
export const libraries: Readonly<Record<LibraryName, Library>> = {
  raw,
  "raw, batched": rawBatched,
  bonevalue,
  "bonevalue at 64 KiB": bonevalueAtInitialMark,
  "bonevalue, relay offered": bonevalueWithRelayOffered,
  "bonevalue by relay": bonevalueByRelay,
  "relay, unencrypted": relayPipe,
  PeerJS: peerjs,
  "simple-peer": simplePeer,
  Trystero: trystero,
  birpc,
  capnweb,
};

/** The name of a library. */
export type LibraryName =
  | "raw"
  | "raw, batched"
  | "bonevalue"
  | "bonevalue at 64 KiB"
  | "bonevalue, relay offered"
  | "bonevalue by relay"
  | "relay, unencrypted"
  | "PeerJS"
  | "simple-peer"
  | "Trystero"
  | "birpc"
  | "capnweb";
