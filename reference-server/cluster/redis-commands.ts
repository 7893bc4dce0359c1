import type { CommandParser } from "@redis/client";
import type { Clock } from "../clock.ts";
import { importRedis } from "../optional-packages.ts";
import { withCircuitBreaker } from "./circuit-breaker.ts";

/** The part of Redis (or Valkey) that a node uses. Every method rejects while the engine is out of reach, or hangs. */
export interface RedisCommands extends Commands {
  close(): Promise<void>;
}

interface Commands {
  /** Makes `node` the owner with `epoch` or, if an owner has that already, a greater one. */
  claim(user: string, id: string, node: string, epoch: number): Promise<Claimed>;
  /** As `claim`, but an owner with a greater epoch stays: `epoch` is then its own. */
  keep(user: string, id: string, node: string, epoch: number): Promise<Claimed>;
  /** Takes the peer from `node`; resolves to the epoch that it had, or undefined if the owner is another. */
  release(user: string, id: string, node: string, epoch?: number): Promise<number | undefined>;
  /** Owners by peer id. */
  peersOf(user: string): Promise<Map<string, Owner>>;

  /** Writes down that `node` answers for this peer: what is to be released when its lease ends. */
  enlist(node: string, id: string, user: string): Promise<void>;
  strike(node: string, id: string): Promise<void>;
  /** Users by peer id. */
  listOf(node: string): Promise<ReadonlyMap<string, string>>;
  /** Lengthens the lease; false: there was none any more. */
  lease(node: string, ms: number): Promise<boolean>;
  /** Nodes with a lease, and those whose lease has ended without anybody having swept up after them. */
  nodes(): Promise<{ readonly alive: readonly string[]; readonly ended: readonly string[] }>;
  /** Reserves the sweeping up after `dead` for this node, for a while. */
  reserve(dead: string, node: string, ms: number): Promise<boolean>;
  forget(node: string): Promise<void>;

  /** By the engine's own clock, in ms since 1970. */
  time(): Promise<number>;
  take(key: string, limit: number, period: number): Promise<number>;
  giveBack(key: string): Promise<void>;
  publish(channel: string, message: string): Promise<void>;
}

/** Who holds a peer. */
export interface Owner {
  readonly node: string;
  readonly epoch: number;
}

/** What came of a claim, and who held the peer before. */
export interface Claimed {
  readonly epoch: number;
  readonly before: Owner | undefined;
}

/** What is heard from the engine. */
export interface RedisEvents {
  message(text: string): void;
  /** The engine is back: what was written or published meanwhile is lost, and perhaps what was there before. */
  back(): void;
  /** It is out of reach, or hangs. */
  failed(error: Error): void;
}

/**
 * Connects, and listens on these channels. Rejects when the engine cannot be reached. `patience`: how long it may take for
 * an answer, in ms.
 */
export async function connectRedis(
  url: string,
  channels: readonly string[],
  events: RedisEvents,
  { patience, clock }: { readonly patience: number; readonly clock: Clock },
): Promise<RedisCommands> {
  const client = clientOf(await importRedis(), url);
  const listener = client.duplicate();
  for (const connection of [client, listener]) connection.on("error", events.failed);
  try {
    await firstConnection(client, listener);
    for (const channel of channels) await listener.sSubscribe(channel, events.message);
  } catch (error) {
    client.destroy();
    listener.destroy();
    throw error;
  }
  for (const connection of [client, listener]) connection.on("ready", back);

  function back(): void {
    if (client.isReady && listener.isReady) events.back();
  }

  return {
    ...withCircuitBreaker(commandsOf(client), patience, clock, { failed: events.failed, back }),
    async close() {
      listener.destroy();
      // What is on its way still goes out, if the engine takes it.
      const undo = clock.after(patience, () => client.destroy());
      if (client.isReady) await client.close();
      else client.destroy();
      undo();
    },
  };
}

type Client = ReturnType<typeof clientOf>;

function clientOf({ createClient, defineScript }: typeof import("@redis/client"), url: string) {
  return createClient({
    url,
    scripts: {
      claim: defineScript(scripts.claim),
      release: defineScript(scripts.release),
      take: defineScript(scripts.take),
      giveBack: defineScript(scripts.giveBack),
    },
    // Rejected at once while out of reach: this node then goes on alone.
    disableOfflineQueue: true,
    // A wire on which nothing comes back is given up.
    pingInterval: 1_000,
    socket: { connectTimeout: 2_000, socketTimeout: 4_000, reconnectStrategy: () => 100 + Math.random() * 200 },
  });
}

function commandsOf(client: Client): Commands {
  return {
    claim: async (user, id, node, epoch) => claimed(await client.claim(peersKey(user), id, node, `${epoch}`, "new")),
    keep: async (user, id, node, epoch) => claimed(await client.claim(peersKey(user), id, node, `${epoch}`, "keep")),
    async release(user, id, node, epoch) {
      const had = await client.release(peersKey(user), id, node, epoch === undefined ? "" : `${epoch}`);
      return had === "" ? undefined : Number(had);
    },
    async peersOf(user) {
      const found = Object.entries(await client.hGetAll(peersKey(user)));
      return new Map(found.map(([id, value]) => [id, owner(value)]));
    },
    enlist: async (node, id, user) => void (await client.hSet(nodeKey(node, "peers"), id, user)),
    strike: async (node, id) => void (await client.hDel(nodeKey(node, "peers"), id)),
    listOf: async (node) => new Map(Object.entries(await client.hGetAll(nodeKey(node, "peers")))),
    async lease(node, ms) {
      const [had] = await Promise.all([
        client.set(nodeKey(node, "lease"), "1", { expiration: { type: "PX", value: ms }, GET: true }),
        client.sAdd(nodesKey, node),
      ]);
      return had !== null;
    },
    async nodes() {
      const nodes = await client.sMembers(nodesKey);
      const leases = await Promise.all(nodes.map((node) => client.exists(nodeKey(node, "lease"))));
      return { alive: nodes.filter((_, at) => leases[at] === 1), ended: nodes.filter((_, at) => leases[at] === 0) };
    },
    async reserve(dead, node, ms) {
      const options = { expiration: { type: "PX", value: ms }, condition: "NX" } as const;
      return (await client.set(nodeKey(dead, "sweeper"), node, options)) === "OK";
    },
    async forget(node) {
      await Promise.all([client.del(nodeKey(node, "peers")), client.sRem(nodesKey, node)]);
      await client.del(nodeKey(node, "lease"));
    },
    async time() {
      const [seconds, micros] = await client.time();
      return Number(seconds) * 1_000 + Math.floor(Number(micros) / 1_000);
    },
    take: async (key, limit, period) => Number(await client.take(countKey(key), `${limit}`, `${period}`)),
    giveBack: async (key) => void (await client.giveBack(countKey(key))),
    publish: async (channel, message) => void (await client.sPublish(channel, message)),
  };
}

type Connection = {
  connect(): Promise<unknown>;
  isReady: boolean;
  on(event: "error", listener: (error: Error) => void): unknown;
};

async function firstConnection(...connections: Connection[]): Promise<void> {
  await Promise.all(
    connections.map((connection) => {
      // The client would try for ever; at the start somebody waits who can do something about it.
      const failed = new Promise<never>((_, reject) => connection.on("error", reject));
      return Promise.race([connection.connect(), failed]);
    }),
  );
}

// In a cluster of engines, braces keep the keys of one user or node together.
const nodesKey = "bonevalue:nodes";
const peersKey = (user: string) => `bonevalue:{user:${user}}:peers`;
const nodeKey = (node: string, what: "lease" | "peers" | "sweeper") => `bonevalue:{node:${node}}:${what}`;
const countKey = (key: string) => `bonevalue:{count:${key}}`;

function owner(value: string): Owner {
  const [node = "", epoch] = value.split(" ");
  return { node, epoch: Number(epoch) };
}

function claimed([epoch, before = ""]: readonly string[]): Claimed {
  return { epoch: Number(epoch), before: before === "" ? undefined : owner(before) };
}

function script<Reply>(source: string) {
  return {
    SCRIPT: source,
    NUMBER_OF_KEYS: 1,
    parseCommand(parser: CommandParser, key: string, ...args: string[]) {
      parser.pushKey(key);
      parser.push(...args);
    },
    transformReply: (reply: unknown) => reply as Reply,
  };
}

// A peer's value is "node epoch". Numbers travel as text: Lua's would lose their digits.
const scripts = {
  claim: script<string[]>(`
    local id, node, epoch, how = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4]
    local before = redis.call("HGET", KEYS[1], id) or ""
    local had = tonumber(string.match(before, " (%d+)$") or "-1")
    if how == "keep" and had > epoch then
      return { string.format("%.0f", had), before }
    end
    if how == "new" and had >= epoch then epoch = had + 1 end
    redis.call("HSET", KEYS[1], id, node .. " " .. string.format("%.0f", epoch))
    return { string.format("%.0f", epoch), before }
  `),
  release: script<string>(`
    local id, node, epoch = ARGV[1], ARGV[2], ARGV[3]
    local owner, had = string.match(redis.call("HGET", KEYS[1], id) or "", "^(%S+) (%d+)$")
    if owner ~= node or (epoch ~= "" and epoch ~= had) then return "" end
    redis.call("HDEL", KEYS[1], id)
    return had
  `),
  take: script<number>(`
    if tonumber(redis.call("GET", KEYS[1]) or "0") >= tonumber(ARGV[1]) then
      return math.max(redis.call("PTTL", KEYS[1]), 1)
    end
    if redis.call("INCR", KEYS[1]) == 1 then redis.call("PEXPIRE", KEYS[1], ARGV[2]) end
    return 0
  `),
  giveBack: script<number>(`
    if tonumber(redis.call("GET", KEYS[1]) or "0") > 0 then return redis.call("DECR", KEYS[1]) end
    return 0
  `),
};

/** For what has failed with the engine, whose own error event has told the log. */
export function ignoreError(): void {}
