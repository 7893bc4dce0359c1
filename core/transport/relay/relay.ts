import type { Clock } from "../../clock.ts";
import { BonevalueError } from "../../errors.ts";
import type { RelayAccess } from "../../relay-access.ts";
import type { Lifetime } from "../lifetime.ts";
import type { Attempt, DirectEvents } from "../relay-fallback.ts";
import type { Link } from "../transport.ts";
import { linkFailed } from "../webrtc/link-errors.ts";
import { directTimeoutMs } from "../webrtc/negotiation.ts";
import { hasPath } from "../webrtc/path.ts";
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

/** The relay of one transport. It remembers which peers were reached only by it. */
export interface Relay {
  /** An attempt begins. It tries the relay at once if the last link to its peer was a relayed one. */
  begin(attempt: Attempt): void;
  /**
   * Begins to open the link through the relay, and decides from then on what becomes of the direct connection. A callee waits for
   * the description of its caller. Only the first call for an attempt has an effect.
   */
  open(attempt: Attempt): void;
}

/** Creates the relay of a transport, without links. */
export function createRelay(clock: Clock): Relay {
  const relayedUntil = new Map<string, number>();

  const isRemembered = ({ peer }: Attempt): boolean => relayedUntil.get(peer)! > clock.now();

  /** Forgets peers whose time is over. */
  function remember({ peer }: Attempt): void {
    const now = clock.now();
    for (const [other, until] of relayedUntil) if (until < now) relayedUntil.delete(other);
    relayedUntil.set(peer, now + rememberedMs);
  }

  function start(attempt: Attempt): void {
    const { lifetime, direct } = attempt;
    if (direct.isRelayed || lifetime.status !== "opening") return;
    direct.isRelayed = true;
    openRelay(attempt, clock, isRemembered(attempt), () => lifetime.closed.then(() => remember(attempt)));
  }

  function open(attempt: Attempt): void {
    if (attempt.role === "caller") start(attempt);
    else attempt.exchange.relay!.remote.then(() => start(attempt));
  }

  return {
    begin(attempt) {
      const { peer, role, lifetime } = attempt;
      // A relayed link is remembered again at its end.
      lifetime.opened.then(
        () => relayedUntil.delete(peer),
        () => {},
      );
      if (role === "caller" && isRemembered(attempt)) open(attempt);
    },
    open,
  };
}

function openRelay(attempt: Attempt, clock: Clock, isUrgent: boolean, onUsed: () => void): void {
  const { peer, role, exchange, lifetime, direct, link } = attempt;
  const relayExchange = exchange.relay!;
  const { remote } = relayExchange;
  let socket: EncryptedSocket | undefined;
  let error: BonevalueError | undefined;
  let state: "waiting" | "opening" | "offered" | "open" | "over" = "waiting";
  let undoWait = () => {};
  let isDirectOpen = false;
  // The caller has sent something on the direct connection.
  let isDirectUsed = false;
  let isAnswered = false;
  remote.then(() => {
    isAnswered = true;
  });

  /** Whether there is a path, or a TURN server that may make one. */
  function isPromising(): boolean {
    const pc = attempt.connection()?.pc;
    if (!pc || role === "callee" || direct.error || isUrgent) return false;
    const { iceServers = [] } = pc.getConfiguration();
    return hasPath(pc) || iceServers.some(({ urls }) => /(^|,)turn/i.test(String(urls)));
  }

  function start(): void {
    if (state !== "waiting") return;
    state = "opening";
    undoWait();
    connect().catch(fail);
  }

  async function connect(): Promise<void> {
    const agreement = await createKeyAgreement(role);
    if (lifetime.status !== "opening") return;
    const access = await relayExchange.open(peer, role);
    if (!access) throw new BonevalueError("link-failed", "The discovery server has not offered it to this side.");
    if (lifetime.status !== "opening") return;
    // After `open`: the server tells the callee of the relay before it passes our description on.
    relayExchange.describe(agreement.description);
    const url = urlOf(access);
    socket = createEncryptedSocket({
      socket: new access.WebSocket(url),
      ticket: access.ticket,
      keys: remote.then(agreement.agree),
      clock,
      notify: lifetime.notify,
      onOpen() {
        if (role === "caller") return;
        state = "offered";
        socket!.sendReady();
      },
      onReady,
      fail,
      onClose: (code) => fail(closedBy(code, url, state === "open")),
    });
  }

  function onReady(): void {
    if (role === "caller") socket!.sendReady();
    state = "open";
    socket!.watch();
    exchange.settled();
    attempt.connection()?.release();
    carry(link, socket!, lifetime);
    lifetime.open();
    onUsed();
  }

  function fail(cause: unknown): void {
    if (state === "over") return;
    const wasOpen = state === "open";
    stop();
    error = linkFailed("The relay could not be used", cause);
    // A server that tampers is not a path that was not found.
    if (wasOpen || (error.code === "protocol" && !isDirectOpen)) lifetime.end(error);
    else {
      decide();
      endIfFailed();
    }
  }

  function endIfFailed(): void {
    if (!direct.error || !error) return;
    const message = `${direct.error.message} The relay failed, too: ${error.message}`;
    lifetime.end(new BonevalueError(direct.error.code, message, { cause: error }));
  }

  function decide(): void {
    if (!isDirectOpen || (state === "offered" && !isDirectUsed)) return;
    stop();
    // The relay has no more say in the direct connection.
    Object.assign(direct, lifetime);
    // ICE may have found the path before this side described itself for the relay.
    exchange.settled();
    lifetime.open();
  }

  function stop(): void {
    state = "over";
    undoWait();
    socket?.close();
  }

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
      const mayGoOn = reason?.code === "link-failed" || (reason?.code === "disconnected" && state !== "waiting");
      if (!mayGoOn) return lifetime.end(reason);
      isDirectOpen = false;
      direct.error = reason;
      start();
      endIfFailed();
    },
  } satisfies Partial<DirectEvents>);
  link.trouble = () => {
    if (lifetime.status !== "opening") return undefined;
    return [attempt.connection()?.negotiation.trouble(), trouble()].filter(Boolean).join(" ") || undefined;
  };
  // ICE would fail only after the dial has ended.
  if (isPromising()) undoWait = clock.after(directTimeoutMs, start);
  else start();

  function trouble(): string | undefined {
    if (state === "waiting") return undefined;
    if (error) return `The relay failed: ${error.message}`;
    if (isAnswered) return "The relay is not open yet.";
    return "The peer has not answered to the relay. Its app may decline it.";
  }
}

/** Replaces the members of a link that differ on a relayed one. */
function carry(link: Link, socket: EncryptedSocket, lifetime: Lifetime): void {
  const { buffered, lowMark } = Object.getOwnPropertyDescriptors(socket);
  Object.defineProperties(link, { buffered, lowMark, maxMessage: { value: maxMessage } });
  link.send = (channel, message) => {
    if (message.byteLength <= maxMessage) socket.send(channel, message);
    else lifetime.end(new BonevalueError("link-failed", `The message is larger than ${maxMessage} bytes.`));
  };
  link.stats = async () => (lifetime.status === "over" ? {} : { path: "relay", roundTrip: await socket.measure() });
}

function urlOf({ url, server }: RelayAccess): string {
  const folder = new URL(server);
  folder.pathname = folder.pathname.replace(/\/?$/, "/");
  return new URL(url, folder).href;
}

function closedBy(code: number, url: string, wasOpen: boolean): BonevalueError {
  if (wasOpen)
    return new BonevalueError(
      "disconnected",
      `The peer or the relay has closed the link (${code}). Call again to redial it.`,
    );
  return new BonevalueError(
    "link-failed",
    code === 1006
      ? `No WebSocket to ${url}: check the proxy, the list of origins of the server, and the Content-Security-Policy of this page.`
      : `The relay closed its socket (${code}) before the peer joined.`,
  );
}
