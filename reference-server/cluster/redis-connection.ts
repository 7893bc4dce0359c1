import type { Clock } from "../clock.ts";
import { importRedis } from "../optional-packages.ts";
import { withCircuitBreaker } from "./circuit-breaker.ts";
import { checkRedisCommands, createRedisClient, createRedisCommands, type RedisCommands } from "./redis-commands.ts";

/** The commands of a node on its connections. Every method rejects while Redis is unreachable or does not answer. */
export interface RedisConnection extends RedisCommands {
  close(): Promise<void>;
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

// The pause between two attempts to open the connections again.
const reopenEveryMs = 500;

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
): Promise<RedisConnection> {
  const redis = await importRedis();
  const client = createRedisClient(redis, url);
  const subscriber = client.duplicate();
  for (const connection of [client, subscriber]) connection.on("error", onFailed);
  let isReopening = false;
  let isClosed = false;
  try {
    await open();
  } catch (error) {
    disconnect();
    throw describeError(error);
  }
  for (const connection of [client, subscriber]) connection.on("error", reopen);

  function isReady(): boolean {
    return client.isReady && subscriber.isReady;
  }

  function onReady(): void {
    if (!isReopening && isReady()) events.restored();
  }

  function disconnect(): void {
    for (const connection of [client, subscriber]) if (connection.isOpen) connection.destroy();
  }

  function onFailed(error: unknown): void {
    events.failed(describeError(error));
  }

  async function open(): Promise<void> {
    // Both end first: one that is still being opened cannot be opened again.
    const opened = await Promise.allSettled([client.connect(), subscriber.connect()]);
    for (const one of opened) if (one.status === "rejected") throw one.reason;
    for (const channel of channels) await subscriber.sSubscribe(channel, events.message);
    await checkRedisCommands(client, channels);
  }

  /** Opens both connections again, until Redis accepts the commands of this module. */
  async function reopen(): Promise<void> {
    if (isReopening || isClosed) return;
    isReopening = true;
    for (let works = false; !isClosed && !(works && isReady()); ) {
      disconnect();
      works = await open().then(
        () => true,
        (error: unknown) => {
          if (isClosed) return false;
          onFailed(error);
          return new Promise<false>((resolve) => clock.after(reopenEveryMs, () => resolve(false)));
        },
      );
    }
    isReopening = false;
    if (!isClosed) onReady();
  }

  const commands = onRejected(createRedisCommands(client), (error) => {
    if (!(error instanceof redis.ErrorReply) || isReopening) return;
    onFailed(error);
    void reopen();
  });
  return {
    ...withCircuitBreaker(commands, commandTimeout, clock, { failed: events.failed, restored: onReady }),
    async close() {
      isClosed = true;
      if (subscriber.isOpen) subscriber.destroy();
      // Pending commands are still sent if Redis accepts them.
      const undo = clock.after(commandTimeout, () => client.destroy());
      if (client.isReady) await client.close();
      else disconnect();
      undo();
    },
  };
}

function describeError(error: unknown): Error {
  const reason = error instanceof Error ? error.message : String(error);
  if (/^(MOVED|ASK|CROSSSLOT|CLUSTERDOWN)\b/.test(reason))
    return new RedisErrorReply(
      `Redis Cluster is not supported (${reason}): use one Redis or Valkey primary, with replicas for failover`,
    );
  // While Redis starts or has too many clients, it is about to accept this node.
  if (/^[A-Z]+ (?!Redis is loading|max number of clients)/.test(reason)) return new RedisErrorReply(reason);
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

/** Ignores a failed command: the connection's error event has logged the cause. */
export function ignoreError(): void {}
