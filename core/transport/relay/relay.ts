import type { Clock } from "../../clock.ts";
import { BonevalueError } from "../../errors.ts";
import type { RelayAccess } from "../../relay-access.ts";
import type { Lifetime } from "../lifetime.ts";
import type { DirectEvents, FallbackOptions } from "../relay-fallback.ts";
import type { LinkPath, RelayDescription } from "../transport.ts";
import type { Channels } from "../webrtc/channels.ts";
import { createEncryptedSocket, type EncryptedSocket } from "./encrypted-socket.ts";
import { createKeyAgreement } from "./key-agreement.ts";
import { maxMessage } from "./segments.ts";

// A link through the discovery server, encrypted between the peers. docs/protocol.md, "Relayed links".
//
// It races the direct connection of the same attempt, and both sides have to agree on one of the two. The caller
// decides: it takes the first that opens. The callee offers the relayed link with `ready` while it has no direct one, and
// the caller opens it with its own `ready`. If the callee's direct connection opens in between, the callee waits until the
// caller sends something on one of the two.

// How long after a relayed link the next one is tried at once.
const rememberedMs = 300_000;

/** A relayed link that is open. */
export interface CarryingRelay extends Pick<Channels, "buffered" | "lowMark" | "send"> {
  readonly maxMessage: number;
  stats(): Promise<{ readonly path: LinkPath; readonly roundTrip: number }>;
}

export interface RelayOptions extends FallbackOptions {
  readonly clock: Clock;
  /** The caller's description, for the callee. */
  readonly offer: RelayDescription | undefined;
  /** For each peer, until when the next link is tried at once. */
  readonly relayedUntil: Map<string, number>;
  /** Its methods are replaced. */
  readonly direct: DirectEvents;
}

/** Begins to open the link through the relay, and decides from now on what becomes of the direct connection. */
export function openRelay(options: RelayOptions): void {
  const { peer, role, exchange, relay: relayExchange, lifetime, clock, offer, relayedUntil, direct } = options;
  const { promise: answer, resolve: onAnswer } = Promise.withResolvers<RelayDescription>();
  let socket: EncryptedSocket | undefined;
  let error: BonevalueError | undefined;
  let state: "opening" | "offered" | "open" | "over" = "opening";
  let isDirectOpen = false;
  // The caller has sent something on the direct connection.
  let isDirectUsed = false;
  let isAnswered = role === "callee";

  async function start(): Promise<void> {
    const agreement = await createKeyAgreement(role);
    if (isOver()) return;
    const access = await relayExchange.open();
    if (!access) throw new BonevalueError("link-failed", "The discovery server has not offered it to this side.");
    if (isOver()) return;
    // After `open`: the server tells the callee of the relay before it passes our description on.
    relayExchange.describe(agreement.description);
    const url = urlOf(access);
    socket = createEncryptedSocket({
      socket: new access.WebSocket(url),
      ticket: access.ticket,
      keys: (offer ? Promise.resolve(offer) : answer).then(agreement.agree),
      clock,
      notify: lifetime.notify,
      onOpen: () => role === "callee" && offerLink(),
      onReady,
      fail,
      onClose: (code) => fail(closedBy(code, url, state === "open")),
    });
  }

  // A function, since TypeScript believes that the state stays during `await`.
  function isOver(): boolean {
    return state === "over";
  }

  function offerLink(): void {
    state = "offered";
    socket!.sendReady();
  }

  function onReady(): void {
    if (role === "caller") socket!.sendReady();
    state = "open";
    socket!.watch();
    exchange.settled();
    options.use(carrier(socket!, lifetime));
    lifetime.open();
    lifetime.closed.then(() => remember(relayedUntil, peer, clock.now()));
  }

  function fail(cause: unknown): void {
    if (state === "over") return;
    const wasOpen = state === "open";
    stop();
    error = asLinkError(cause);
    // A server that tampers is not a path that was not found.
    if (wasOpen || (error.code === "protocol" && !isDirectOpen)) lifetime.end(error);
    else if (isDirectOpen) lifetime.open();
    else endIfFailed();
  }

  function endIfFailed(): void {
    if (!direct.error || !error) return;
    const message = `${direct.error.message} The relay failed, too: ${error.message}`;
    lifetime.end(new BonevalueError(direct.error.code, message, { cause: error }));
  }

  function decide(): void {
    if (!isDirectOpen || (state === "offered" && !isDirectUsed)) return;
    stop();
    lifetime.open();
  }

  function stop(): void {
    state = "over";
    socket?.close();
  }

  if (!offer)
    relayExchange.listen((description) => {
      isAnswered = true;
      onAnswer(description);
    });
  lifetime.closed.then(stop);
  Object.assign(direct, {
    open() {
      isDirectOpen = true;
      direct.error = undefined;
      decide();
    },
    notify(event, size) {
      isDirectUsed = true;
      decide();
      lifetime.notify(event, size);
    },
    end(reason) {
      // The peer closes the direct connection when it uses the relay.
      const mayGoOn = reason?.code === "link-failed" || reason?.code === "disconnected";
      if (lifetime.status !== "opening" || !mayGoOn) return lifetime.end(reason);
      isDirectOpen = false;
      direct.error = reason;
      endIfFailed();
    },
    trouble() {
      if (error) return `The relay failed: ${error.message}`;
      if (isAnswered) return "The relay is not open yet.";
      return "The peer has not answered to the relay. Its app may decline it.";
    },
  } satisfies Partial<DirectEvents>);
  start().catch(fail);
}

function carrier(socket: EncryptedSocket, { end }: Lifetime): CarryingRelay {
  return {
    maxMessage,
    get buffered() {
      return socket.buffered;
    },
    get lowMark() {
      return socket.lowMark;
    },
    set lowMark(mark) {
      socket.lowMark = mark;
    },
    send(channel, message) {
      if (message.byteLength <= maxMessage) socket.send(channel, message);
      else end(new BonevalueError("link-failed", `The message is larger than ${maxMessage} bytes.`));
    },
    stats: async () => ({ path: "relay", roundTrip: await socket.measure() }),
  };
}

/** Forgets peers whose time is over. */
function remember(relayedUntil: Map<string, number>, peer: string, now: number): void {
  for (const [other, until] of relayedUntil) if (until < now) relayedUntil.delete(other);
  relayedUntil.set(peer, now + rememberedMs);
}

function urlOf({ url, server }: RelayAccess): string {
  const folder = new URL(server);
  folder.pathname = folder.pathname.replace(/\/?$/, "/");
  return new URL(url, folder).href;
}

function closedBy(code: number, url: string, wasOpen: boolean): BonevalueError {
  if (!wasOpen && code === 1006)
    return new BonevalueError(
      "link-failed",
      `No WebSocket to ${url}: check that the proxy forwards it, that the server allows this page's origin, and the page's Content-Security-Policy.`,
    );
  if (!wasOpen)
    return new BonevalueError("link-failed", `The relay closed its socket (${code}) before the peer joined.`);
  return new BonevalueError(
    "disconnected",
    `The peer or the relay has closed the link (${code}). Call again to redial it.`,
  );
}

function asLinkError(cause: unknown): BonevalueError {
  if (cause instanceof BonevalueError) return cause;
  return new BonevalueError("link-failed", `The relay could not be used: ${cause}`, { cause });
}
