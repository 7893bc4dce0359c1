import type { CommandParser } from "@redis/client";
import type { Clock } from "../clock.ts";
import { importRedis } from "../optional-packages.ts";
import { withCircuitBreaker } from "./circuit-breaker.ts";
import type { Login } from "./cluster.ts";

/** The Redis (or Valkey) commands of a node. Every method rejects while Redis is unreachable or does not answer. */
export interface RedisCommands extends Commands {
  close(): Promise<void>;
}

interface Commands {
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
  consume(key: string, limit: number, period: number): Promise<number>;
  refund(key: string): Promise<void>;
  publish(channel: string, message: string): Promise<void>;
}

/** The node that owns a peer, and the peer's name. */
export type Owner = Pick<Login, "node" | "epoch" | "name" | "profile" | "revision">;

/** The epoch of a claim, and the previous owner. */
export interface ClaimResult {
  readonly epoch: number;
  readonly previous: Owner | undefined;
}

/** An error reply of Redis, such as READONLY, OOM, NOPERM or MISCONF. */
export class RedisErrorReply extends Error {}

/** Events of the Redis connections. */
export interface RedisEvents {
  message(text: string): void;
  /** Redis answers again. Messages published meanwhile are lost, and its data may be lost too. */
  restored(): void;
  /** Redis is unreachable, does not answer, or answers with an error ({@link RedisErrorReply}). */
  failed(error: Error): void;
}

/**
 * Connects, and subscribes to these channels. Rejects when Redis cannot be reached or refuses a command of this module. A
 * command that takes longer than `commandTimeout` ms rejects.
 *
 * An error reply counts as an outage: after a failover, for example, the connections may still lead to the old primary, which
 * then answers READONLY. After such a reply, and when one of the two connections breaks, both are closed and opened again, so
 * that host names are resolved again and both lead to the same server, until Redis accepts one command of each kind.
 */
export async function connectRedis(
  url: string,
  channels: readonly string[],
  events: RedisEvents,
  { commandTimeout, clock }: { readonly commandTimeout: number; readonly clock: Clock },
): Promise<RedisCommands> {
  const redis = await importRedis();
  const client = createRedisClient(redis, url);
  const subscriber = client.duplicate();
  for (const connection of [client, subscriber]) connection.on("error", events.failed);
  let isReopening = false;
  let isClosed = false;
  try {
    await connectAll(client, subscriber);
    await subscribe();
    await checkCommands(client, channels);
  } catch (error) {
    disconnect();
    throw describeError(error);
  }
  for (const connection of [client, subscriber]) connection.on("reconnecting", reopen);

  function isReady(): boolean {
    return client.isReady && subscriber.isReady;
  }

  function onReady(): void {
    if (!isReopening && isReady()) events.restored();
  }

  function disconnect(): void {
    for (const connection of [client, subscriber]) if (connection.isOpen) connection.destroy();
  }

  async function subscribe(): Promise<void> {
    for (const channel of channels) await subscriber.sSubscribe(channel, events.message);
  }

  /** Opens both connections again, until Redis accepts the commands of this module. */
  async function reopen(): Promise<void> {
    if (isReopening || isClosed) return;
    isReopening = true;
    for (let works = false; !isClosed && !(works && isReady()); ) {
      disconnect();
      works = await Promise.all([client.connect(), subscriber.connect()])
        .then(subscribe)
        .then(() => checkCommands(client, channels))
        .then(
          () => true,
          () => new Promise<false>((resolve) => clock.after(reopenEvery, () => resolve(false))),
        );
    }
    isReopening = false;
    if (!isClosed) onReady();
  }

  const commands = onRejected(createCommands(client), (error) => {
    if (!(error instanceof redis.ErrorReply) || isReopening) return;
    events.failed(describeError(error));
    void reopen();
  });
  return {
    ...withCircuitBreaker(commands, commandTimeout, clock, { failed: events.failed, restored: onReady }),
    async close() {
      isClosed = true;
      subscriber.destroy();
      // Pending commands are still sent if Redis accepts them.
      const undo = clock.after(commandTimeout, () => client.destroy());
      if (client.isReady) await client.close();
      else client.destroy();
      undo();
    },
  };
}

// The pause between two attempts to open the connections again, in ms.
const reopenEvery = 500;

/** Runs one command of each kind that a node uses: a write, a script and a publication. Rejects with the first error. */
async function checkCommands(client: Client, channels: readonly string[]): Promise<void> {
  const key = nodeKey("check", "lease");
  await client.set(key, "1", { expiration: { type: "PX", value: 1_000 } });
  await client.refund(key);
  await client.del(key);
  await client.sPublish(`${channels[0]}:check`, "");
}

function describeError(error: unknown): Error {
  const reason = error instanceof Error ? error.message : String(error);
  if (/^(MOVED|ASK|CROSSSLOT|CLUSTERDOWN)\b/.test(reason))
    return new RedisErrorReply(
      `Redis Cluster is not supported (${reason}): use one Redis or Valkey primary, with replicas for failover`,
    );
  if (/^[A-Z]+ /.test(reason)) return new RedisErrorReply(reason);
  return error instanceof Error ? error : new Error(reason);
}

/** Wraps methods so that `listener` receives their rejections. */
function onRejected<Methods extends Record<keyof Methods, (...args: never[]) => Promise<unknown>>>(
  methods: Methods,
  listener: (error: unknown) => void,
): Methods {
  const wrapped = Object.entries<(...args: never[]) => Promise<unknown>>(methods).map(([name, method]) => [
    name,
    (...args: never[]) => {
      const result = method(...args);
      result.catch(listener);
      return result;
    },
  ]);
  return Object.fromEntries(wrapped) as Methods;
}

type Client = ReturnType<typeof createRedisClient>;

function createRedisClient({ createClient, defineScript }: typeof import("@redis/client"), url: string) {
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
    socket: { connectTimeout: 2_000, socketTimeout: 4_000, reconnectStrategy: () => 100 + Math.random() * 200 },
  });
}

function createCommands(client: Client): Commands {
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

type Connection = {
  connect(): Promise<unknown>;
  isReady: boolean;
  on(event: "error", listener: (error: Error) => void): unknown;
};

async function connectAll(...connections: Connection[]): Promise<void> {
  await Promise.all(
    connections.map((connection) => {
      // The client would retry forever. At the start an operator is waiting and can fix the problem.
      const failed = new Promise<never>((_, reject) => connection.on("error", reject));
      return Promise.race([connection.connect(), failed]);
    }),
  );
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

function oneKeyScript<Reply>(source: string) {
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

// The value of a peer is "node epoch", or "node epoch name", and after a line break "revision profile". Numbers are passed as text: Lua numbers would lose digits.
const scripts = {
  claim: oneKeyScript<string[]>(`
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
  release: oneKeyScript<string>(`
    local id, node, epoch = ARGV[1], ARGV[2], ARGV[3]
    local owner, had = string.match(redis.call("HGET", KEYS[1], id) or "", "^(%S+) (%d+)")
    if owner ~= node or (epoch ~= "" and epoch ~= had) then return "" end
    redis.call("HDEL", KEYS[1], id)
    return had
  `),
  consume: oneKeyScript<number>(`
    if tonumber(redis.call("GET", KEYS[1]) or "0") >= tonumber(ARGV[1]) then
      return math.max(redis.call("PTTL", KEYS[1]), 1)
    end
    if redis.call("INCR", KEYS[1]) == 1 then redis.call("PEXPIRE", KEYS[1], ARGV[2]) end
    return 0
  `),
  refund: oneKeyScript<number>(`
    if tonumber(redis.call("GET", KEYS[1]) or "0") > 0 then return redis.call("DECR", KEYS[1]) end
    return 0
  `),
};

/** Ignores a failed command: the connection's error event has logged the cause. */
export function ignoreError(): void {}
