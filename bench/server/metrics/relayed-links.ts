import { once } from "node:events";
import { WebSocket } from "ws";
import { percentile } from "../../statistics.ts";
import { type Client, closeAll, mapConcurrently, sleep, waitUntil } from "../clients.ts";
import { enterAll } from "../guests.ts";
import { startServerUnderTest } from "../server-under-test.ts";
import type { ServerMetric } from "./metric.ts";

const links = 200;
const messagesPerSecond = 10;
const span = 5_000;
const size = 1_000;

/** Many relayed links, with the default limits. */
export const relayedLinks: ServerMetric = {
  name: "relayed-links",
  title: `${links} relayed links at once, each with ${messagesPerSecond} messages of 1 KB a second: p99 of their echoes`,
  unit: "ms",
  goal: { atMost: 50 },
  async measure() {
    const target = await startServerUnderTest("bonevalue", { store: ":memory:", rooms: true, relay: true });
    // Each pair has a room.
    const guests = await enterAll([target], 2 * links, (at) => `room ${at >> 1}`);
    const pairs = Array.from({ length: links }, (_, at) => guests.slice(2 * at, 2 * at + 2) as [Client, Client]);
    const opened = await mapConcurrently(pairs, 16, ([caller, callee]) => openRelay(target.url, caller, callee));
    const before = await target.processorTime();
    const times = await Promise.all(opened.map(([socket]) => echoTimes(socket)));
    const processorTime = (await target.processorTime()) - before;
    for (const socket of opened.flat()) socket.terminate();
    await closeAll(guests);
    await target.kill();
    const echoes = times.flat();
    const notes = {
      "share of echoes that arrived": echoes.length / (links * messagesPerSecond * (span / 1_000)),
      "cores that the server used": processorTime / span,
    };
    return { bonevalue: percentile(echoes, 0.99), notes };
  },
};

/** Opens both relay sockets of a link. The callee's sends back what arrives. */
async function openRelay(url: string, caller: Client, callee: Client): Promise<readonly [WebSocket, WebSocket]> {
  await waitUntil(() => caller.peers.has(callee.id));
  const tickets = Promise.all([ticketFor(caller), ticketFor(callee)]);
  caller.socket.send(JSON.stringify({ type: "openRelay", id: 1, data: { to: callee.id } }));
  const [one, other] = await Promise.all((await tickets).map((ticket) => openSocket(`${url}/relay`, ticket)));
  other!.on("message", (bytes) => other!.send(bytes));
  return [one!, other!];
}

function ticketFor({ socket }: Client): Promise<string> {
  return new Promise((resolve) => {
    socket.on("message", (bytes) => {
      const { type, data } = JSON.parse(String(bytes));
      if (type === "relayResponse" || type === "relayOffer") resolve(data.ticket);
    });
  });
}

async function openSocket(url: string, ticket: string): Promise<WebSocket> {
  const socket = new WebSocket(url, { perMessageDeflate: false });
  await once(socket, "open");
  socket.send(ticket);
  return socket;
}

async function echoTimes(socket: WebSocket): Promise<number[]> {
  const times: number[] = [];
  socket.on("message", (bytes: Buffer) => times.push(performance.now() - bytes.readDoubleBE()));
  const gap = 1_000 / messagesPerSecond;
  // Not all links at the same moment.
  await sleep(Math.random() * gap);
  const begun = performance.now();
  for (let sent = 0; sent < messagesPerSecond * (span / 1_000); sent++) {
    const message = Buffer.alloc(size);
    message.writeDoubleBE(performance.now());
    socket.send(message);
    await sleep(Math.max(0, begun + (sent + 1) * gap - performance.now()));
  }
  await sleep(500);
  return times;
}
