import { badSignIns } from "./bad-sign-ins.ts";
import { clusterRoomJoin, clusterRoomMemory } from "./cluster-rooms.ts";
import { fuzz } from "./fuzz.ts";
import { idleMemory } from "./idle-memory.ts";
import type { ServerMetric } from "./metric.ts";
import { nodeKilled } from "./node-killed.ts";
import { reconnects } from "./reconnects.ts";
import { redisKilled } from "./redis-killed.ts";
import { relayedLinks } from "./relayed-links.ts";
import { relays } from "./relays.ts";
import { roomJoin } from "./room-join.ts";
import { signIns } from "./sign-ins.ts";
import { slowReader } from "./slow-reader.ts";
import { twoNodes } from "./two-nodes.ts";

/** All metrics of the server, in the order of the table. */
export const serverMetrics: readonly ServerMetric[] = [
  ...[idleMemory, signIns, reconnects, relays, relayedLinks, roomJoin, clusterRoomJoin, clusterRoomMemory, twoNodes],
  ...[slowReader, badSignIns, fuzz, nodeKilled, redisKilled],
];
