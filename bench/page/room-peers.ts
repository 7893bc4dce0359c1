import { type Client, createClient, type Transport } from "../../core/index.ts";

/** Peers of this page or process in a room. */
export interface RoomPeers {
  /** Signs `count` peers in. Each answers calls. */
  enter(server: string, room: string, count: number): Promise<void>;
  /** Resolves when each of them sees `count` others. */
  waitForOthers(count: number): Promise<void>;
  /** One of them calls everybody else in the room. Resolves to the number of correct replies, and to all errors. */
  callEverybody(index: number, timeout: number): Promise<RoomReplies>;
}

// How many peers one peer calls at once. Each call opens a link.
const concurrency = 8;

/** What one peer got. */
export interface RoomReplies {
  readonly replies: number;
  readonly errors: readonly string[];
}

/** Nobody has signed in yet. */
export function createRoomPeers(transport?: Transport): RoomPeers {
  const clients: Client[] = [];

  return {
    async enter(server, room, count) {
      for (let index = 0; index < count; index++) {
        const client = createClient({ transport, idleTimeout: Number.POSITIVE_INFINITY });
        client.module("Echo", ({ request }) => ({ from: client.getId(), request }));
        clients.push(client);
        await client.connect(server, { room });
      }
    },
    async waitForOthers(count) {
      await Promise.all(clients.map((client) => seesOthers(client, count)));
    },
    callEverybody: (index, timeout) => callOthers(clients[index]!, timeout),
  };
}

function seesOthers({ peers }: Client, count: number): Promise<void> {
  return new Promise((resolve) => {
    const undo = peers.subscribe((list) => {
      if (list.length < count) return;
      // It may be called before `subscribe` has returned.
      queueMicrotask(() => undo());
      resolve();
    });
  });
}

async function callOthers({ getId, get, peers }: Client, timeout: number): Promise<RoomReplies> {
  const errors: string[] = [];
  let replies = 0;
  const own = getId();
  const waiting = peers.peek().map(({ id }) => id);

  async function callNext(): Promise<void> {
    for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) {
      try {
        const { from, request } = await get(id).call("Echo", own, { timeout }).first();
        if (from === id && request === own) replies++;
        else errors.push("a reply of another peer or to another call");
      } catch (error) {
        errors.push(String(error));
      }
    }
  }

  await Promise.all(Array.from({ length: concurrency }, callNext));
  return { replies, errors };
}
