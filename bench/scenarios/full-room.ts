import { createCaller, forkIn } from "../../tools/child-methods.ts";
import { startServer } from "../../tools/server-process.ts";
import type { LoopbackEnvironment } from "../environment.ts";
import type { RoomPeers, RoomReplies } from "../page/room-peers.ts";
import { limited, type Scenario } from "./scenario.ts";

const peersOfPage = 4;
const pages = 2;
const peersOfChild = 23;
const children = 4;
const size = pages * peersOfPage + children * peersOfChild;
const timeout = 120_000;

/** A room as large as the server allows, of Chromium's peers and node-datachannel's. */
export const fullRoom: Scenario = {
  name: "full-room",
  title: `A room of ${size} peers, ${pages * peersOfPage} in Chromium and ${children * peersOfChild} in Node, in which everybody calls everybody`,
  async run(environment) {
    // All of them have one address.
    const server = await startServer({ options: { rooms: true, limits: { roomJoins: size } } });
    const places = [
      ...(await Promise.all(Array.from({ length: pages }, () => inPage(environment)))),
      ...Array.from({ length: children }, inChild),
    ];
    for (const { peers, count } of places) await peers.enter(server.url, "full", count);
    await Promise.all(places.map(({ peers }) => peers.waitForOthers(size - 1)));
    const begun = performance.now();
    const results: RoomReplies[] = [];
    // One after the other, because all of them share the processors that a room has for each of its peers.
    for (const { peers, count } of places) {
      for (let index = 0; index < count; index++) results.push(await peers.callEverybody(index, timeout));
    }
    const took = performance.now() - begun;
    for (const { close } of places) await close();
    await server.stop();

    const calls = size * (size - 1);
    const errors = results.flatMap(({ errors }) => errors);
    for (const error of errors.slice(0, 10)) console.error(error);
    return [
      limited(
        "correct replies",
        results.reduce((sum, { replies }) => sum + replies, 0),
        "",
        { atLeast: calls },
      ),
      { what: "time", value: took / 1_000, unit: "s" },
    ];
  },
};

interface Place {
  readonly peers: RoomPeers;
  readonly count: number;
  close(): Promise<void>;
}

async function inPage(environment: LoopbackEnvironment): Promise<Place> {
  const page = await environment.page();
  return {
    count: peersOfPage,
    peers: {
      enter: (...args) => page.evaluate((args) => bench.roomPeers.enter(...args), args),
      waitForOthers: (...args) => page.evaluate((args) => bench.roomPeers.waitForOthers(...args), args),
      callEverybody: (...args) => page.evaluate((args) => bench.roomPeers.callEverybody(...args), args),
    },
    close: () => page.close(),
  };
}

function inChild(): Place {
  const child = forkIn([], new URL("../node/room-child.ts", import.meta.url));
  const call = createCaller(child);
  return {
    count: peersOfChild,
    peers: {
      enter: async (...args) => void (await call("enter", ...args)),
      waitForOthers: async (...args) => void (await call("waitForOthers", ...args)),
      callEverybody: (...args) => call("callEverybody", ...args) as ReturnType<RoomPeers["callEverybody"]>,
    },
    close: async () => void child.kill(),
  };
}
