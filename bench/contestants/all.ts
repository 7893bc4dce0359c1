import { birpc } from "./birpc.ts";
import { bonevalue, held } from "./bonevalue.ts";
import { capnweb } from "./capnweb.ts";
import type { Contestant } from "./contestant.ts";
import { joined } from "./joined.ts";
import { peerjs } from "./peerjs.ts";
import { raw } from "./raw.ts";
import { simplePeer } from "./simple-peer.ts";
import { trystero } from "./trystero.ts";

/** Everybody, by the name that tables and plots show. */
export const contestants: Readonly<Record<Name, Contestant>> = {
  raw,
  "raw, joined": joined,
  bonevalue,
  "bonevalue at 64 KiB": held,
  PeerJS: peerjs,
  "simple-peer": simplePeer,
  Trystero: trystero,
  birpc,
  capnweb,
};

/** The name of one. */
export type Name =
  | "raw"
  | "raw, joined"
  | "bonevalue"
  | "bonevalue at 64 KiB"
  | "PeerJS"
  | "simple-peer"
  | "Trystero"
  | "birpc"
  | "capnweb";
