import type { CommandParser, RedisClientType } from "@redis/client";
import type { Login } from "./cluster.ts";

/** The Redis (or Valkey) commands that a node uses. A method rejects if Redis rejects its command. */
export interface RedisCommands {
  /** Makes the node of `login` the owner, with its epoch or, if the current owner's epoch is not lower, with a greater one. */
  claim(login: Login): Promise<ClaimResult>;
  /** As `claim`, but an owner with a greater epoch keeps the peer, and the result is its epoch. */
  reclaim(login: Login): Promise<ClaimResult>;
  /** Removes the peer if `node` owns it; resolves to its epoch, or to undefined if another node owns it. */
  release(group: string, id: string, node: string, epoch?: number): Promise<number | undefined>;
  /** Owners by peer id. */
  ownersOf(group: string): Promise<Map<string, Owner>>;

  /** Adds a peer to the list of `node`: the peers to release when its lease ends. */
  addPeer(node: string, id: string, group: string): Promise<void>;
  removePeer(node: string, id: string): Promise<void>;
  /** Groups by peer id. */
  peersOfNode(node: string): Promise<ReadonlyMap<string, string>>;
  /** Renews the lease; false if it had expired. */
  renewLease(node: string, ms: number): Promise<boolean>;
  /** Nodes with a lease, and nodes whose lease has expired and whose peers are not released yet. */
  nodes(): Promise<{ readonly alive: readonly string[]; readonly ended: readonly string[] }>;
  /** Takes the lock for releasing the peers of `dead`, for `ms`; false if another node has it. */
  lockCleanup(dead: string, node: string, ms: number): Promise<boolean>;
  removeNode(node: string): Promise<void>;

  /** The time of the Redis server, in ms since 1970. */
  time(): Promise<number>;
  /** See `ClusterNode.consume` and `refund`. */
  consume(key: string, limit: number, period: number): Promise<number>;
  refund(key: string): Promise<void>;
  publish(channel: string, message: string): Promise<void>;
}

/** The node that owns a peer, with the name and the profile of the peer. */
export type Owner = Pick<Login, "node" | "epoch" | "name" | "profile" | "revision">;

/** The epoch of a claim, and the previous owner. */
export interface ClaimResult {
  readonly epoch: number;
  readonly previous: Owner | undefined;
}

/** A client of `@redis/client` that knows the scripts of this module. */
export type RedisClient = RedisClientType<
  Record<never, never>,
  Record<never, never>,
  { [Name in keyof Scripts]: Scripts[Name] & { SHA1: string } }
>;

type Scripts = {
  readonly claim: KeyScript<string[]>;
  readonly release: KeyScript<string>;
  readonly consume: KeyScript<number>;
  readonly refund: KeyScript<number>;
};

/** A Lua script that works on one key. */
type KeyScript<Reply> = {
  readonly SCRIPT: string;
  readonly NUMBER_OF_KEYS: 1;
  parseCommand(parser: CommandParser, key: string, ...args: string[]): void;
  transformReply(reply: unknown): Reply;
};

/** Creates a client for `url`, which is not connected. */
export function createRedisClient(
  { createClient, defineScript }: typeof import("@redis/client"),
  url: string,
): RedisClient {
  return createClient({
    url,
    scripts: {
      claim: defineScript(scripts.claim),
      release: defineScript(scripts.release),
      consume: defineScript(scripts.consume),
      refund: defineScript(scripts.refund),
    },
    // Commands reject at once while Redis is unreachable: this node then works alone.
    disableOfflineQueue: true,
    // Detects half-open connections.
    pingInterval: 1_000,
    // The owner opens it again. If the client did so too, an idle second socket could end the first by its timeout.
    socket: { connectTimeout: 2_000, socketTimeout: 4_000, reconnectStrategy: false },
  });
}

/** Creates the commands of a node, which run on `client`. */
export function createRedisCommands(client: RedisClient): RedisCommands {
  return {
    claim: async (login) => parseClaim(await client.claim(peersKey(login.group), ...claimArguments(login), "new")),
    reclaim: async (login) => parseClaim(await client.claim(peersKey(login.group), ...claimArguments(login), "keep")),
    async release(group, id, node, epoch) {
      const had = await client.release(peersKey(group), id, node, epoch === undefined ? "" : `${epoch}`);
      return had === "" ? undefined : Number(had);
    },
    async ownersOf(group) {
      const found = Object.entries(await client.hGetAll(peersKey(group)));
      return new Map(found.map(([id, value]) => [id, parseOwner(value)]));
    },
    addPeer: async (node, id, group) => void (await client.hSet(nodeKey(node, "peers"), id, group)),
    removePeer: async (node, id) => void (await client.hDel(nodeKey(node, "peers"), id)),
    peersOfNode: async (node) => new Map(Object.entries(await client.hGetAll(nodeKey(node, "peers")))),
    async renewLease(node, ms) {
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
    async lockCleanup(dead, node, ms) {
      const options = { expiration: { type: "PX", value: ms }, condition: "NX" } as const;
      return (await client.set(nodeKey(dead, "sweeper"), node, options)) === "OK";
    },
    async removeNode(node) {
      await Promise.all([client.del(nodeKey(node, "peers")), client.sRem(nodesKey, node)]);
      await client.del(nodeKey(node, "lease"));
    },
    async time() {
      const [seconds, micros] = await client.time();
      return Number(seconds) * 1_000 + Math.floor(Number(micros) / 1_000);
    },
    consume: async (key, limit, period) => Number(await client.consume(countKey(key), `${limit}`, `${period}`)),
    refund: async (key) => void (await client.refund(countKey(key))),
    publish: async (channel, message) => void (await client.sPublish(channel, message)),
  };
}

/** Runs one command of each kind that a node uses: a write, a script and a publication. Rejects with the first error. */
export async function checkRedisCommands(client: RedisClient, channels: readonly string[]): Promise<void> {
  const key = nodeKey("check", "lease");
  await client.set(key, "1", { expiration: { type: "PX", value: 1_000 } });
  await client.refund(key);
  await client.del(key);
  await client.sPublish(`${channels[0]}:check`, "");
}

// Braces are hash tags: in a Redis Cluster they keep the keys of one group or node in one slot.
const nodesKey = "bonevalue:nodes";
const peersKey = (group: string) => `bonevalue:{group:${group}}:peers`;
const nodeKey = (node: string, what: "lease" | "peers" | "sweeper") => `bonevalue:{node:${node}}:${what}`;
const countKey = (key: string) => `bonevalue:{count:${key}}`;

function claimArguments({ id, node, epoch, name, profile, revision = 0 }: Login): [string, string, string, string] {
  const details = (name === undefined ? "" : ` ${name}`) + (profile === undefined ? "" : `\n${revision} ${profile}`);
  return [id, node, `${epoch}`, details];
}

function parseOwner(value: string): Owner {
  // Neither a name nor JSON contains a line break.
  const [peer = "", said = ""] = value.split("\n", 2);
  const [node = "", epoch] = peer.split(" ", 2);
  const name = peer.slice(`${node} ${epoch} `.length);
  const [revision = ""] = said.split(" ", 1);
  const profile = said.slice(revision.length + 1);
  return {
    ...{ node, epoch: Number(epoch), name: name === "" ? undefined : name },
    ...{ profile: profile === "" ? undefined : profile, revision: Number(revision) },
  };
}

function parseClaim([epoch, before = ""]: readonly string[]): ClaimResult {
  return { epoch: Number(epoch), previous: before === "" ? undefined : parseOwner(before) };
}

function keyScript<Reply>(source: string): KeyScript<Reply> {
  return {
    SCRIPT: source,
    NUMBER_OF_KEYS: 1,
    parseCommand(parser, key, ...args) {
      parser.pushKey(key);
      parser.push(...args);
    },
    transformReply: (reply) => reply as Reply,
  };
}

// The value of a peer is "node epoch", or "node epoch name", and after a line break "revision profile". Numbers are passed
// as text, since Lua numbers would lose digits.
const scripts: Scripts = {
  claim: keyScript<string[]>(`
    local id, node, epoch, details, how = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4], ARGV[5]
    local before = redis.call("HGET", KEYS[1], id) or ""
    local had = tonumber(string.match(before, "^%S+ (%d+)") or "-1")
    if how == "keep" and had > epoch then
      return { string.format("%.0f", had), before }
    end
    if how == "new" and had >= epoch then epoch = had + 1 end
    redis.call("HSET", KEYS[1], id, node .. " " .. string.format("%.0f", epoch) .. details)
    return { string.format("%.0f", epoch), before }
  `),
  release: keyScript<string>(`
    local id, node, epoch = ARGV[1], ARGV[2], ARGV[3]
    local owner, had = string.match(redis.call("HGET", KEYS[1], id) or "", "^(%S+) (%d+)")
    if owner ~= node or (epoch ~= "" and epoch ~= had) then return "" end
    redis.call("HDEL", KEYS[1], id)
    return had
  `),
  consume: keyScript<number>(`
    if tonumber(redis.call("GET", KEYS[1]) or "0") >= tonumber(ARGV[1]) then
      return math.max(redis.call("PTTL", KEYS[1]), 1)
    end
    if redis.call("INCR", KEYS[1]) == 1 then redis.call("PEXPIRE", KEYS[1], ARGV[2]) end
    return 0
  `),
  refund: keyScript<number>(`
    if tonumber(redis.call("GET", KEYS[1]) or "0") > 0 then return redis.call("DECR", KEYS[1]) end
    return 0
  `),
};
