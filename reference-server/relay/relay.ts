import type { WebSocket } from "ws";
import { closeCode } from "../../core/protocol/close-code.ts";
import type { ToClient } from "../../core/protocol/messages.ts";
import { afterReading, type Clock } from "../clock.ts";
import { closeSocket } from "../close-socket.ts";
import type { BusMessage, Login } from "../cluster/cluster.ts";
import type { Connection } from "../connection.ts";
import type { Member } from "../group-sessions.ts";
import { accountGroup, ownerOf } from "../groups.ts";
import type { Log } from "../log.ts";
import type { Metrics } from "../metrics.ts";
import type { Presence } from "../presence.ts";
import { Refusal } from "../refusal.ts";
import { newTicket } from "../secrets.ts";
import type { RelayLimits } from "./limits.ts";
import { createPipe, type Pipe, type SideIndex } from "./pipe.ts";
import { createRates } from "./rates.ts";

/** The path of relay sockets below that of the server's socket. */
export const relayPath = "relay";

/** The answer to `openRelay`. */
export type RelayTicket = ToClient["relayResponse"];

/** The relayed links whose callers are on this node. */
export interface Relay {
  /** Opens a pipe to a peer and sends the peer its ticket. Throws `unknown-peer` as a signal does, and `busy` above a limit. */
  open(member: Member, to: string): RelayTicket;
  /** Handles a relay socket. `onSettled` is called once, with the first message or the close. */
  accept(socket: WebSocket, onSettled: () => void): Connection;
  /** The number of pipes, including those that wait for a side. */
  pipes(): number;
}

/** Dependencies of {@link Relay}. */
export interface RelayParts {
  readonly presence: Presence;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly limits: RelayLimits;
  /** The time from the upgrade to the ticket, in ms. */
  readonly firstFrameTimeout: number;
  /** Where both sides open their sockets. */
  readonly url: string;
}

interface RelayedLink {
  readonly pipe: Pipe;
  readonly caller: Member;
  readonly callee: Login;
}

/** Creates the relay of a node. */
export function createRelay(parts: RelayParts): Relay {
  const { presence, clock, log, metrics, limits, url } = parts;
  const links = new Set<RelayedLink>();
  const tickets = new Map<string, (socket: WebSocket) => void>();
  const rates = createRates(clock, limits);
  presence.observe(onChange);

  function open(caller: Member, to: string): RelayTicket {
    // A caller that dials again has given up its last attempt.
    for (const { pipe, ...link } of links)
      if (!pipe.complete && link.caller.id === caller.id && link.callee.id === to)
        pipe.close(closeCode.goingAway, "The caller has opened another relay.");
    checkLimits(caller);
    const own = newTicket();
    const offered = newTicket();
    const callee = presence.offerRelay(caller, to, { url, ticket: offered });
    if (!callee) throw new Refusal("unknown-peer", "There is no such peer, or it does not trust you.");
    addLink(caller, callee, [own, offered]);
    return { url, ticket: own };
  }

  function checkLimits({ group }: Member): void {
    const owner = ownerOf(group);
    const opened = [...links].filter(({ caller }) => ownerOf(caller.group) === owner).length;
    if (opened >= limits.pipesPerAccount) {
      metrics.relayRefused("account");
      throw new Refusal("busy", "This account or room has too many relayed links: close others first.");
    }
    if (links.size >= limits.pipes) {
      metrics.relayRefused("server");
      throw new Refusal("busy", "The server relays too many links: try again later.");
    }
  }

  function addLink(caller: Member, callee: Login, issued: readonly [string, string]): void {
    const [ofCaller, ofCallee] = [ownerOf(caller.group), ownerOf(callee.group)];
    const pipe = createPipe({
      ...{ clock, limits, rates: [rates.acquire(ofCaller), rates.acquire(ofCallee)] },
      onBytes: metrics.relayedBytes,
      onClosed(complete) {
        links.delete(link);
        for (const ticket of issued) tickets.delete(ticket);
        rates.release(ofCaller);
        rates.release(ofCallee);
        if (!complete) metrics.relayRefused("incomplete");
      },
    });
    const link: RelayedLink = { pipe, caller, callee };
    links.add(link);
    for (const [index, ticket] of issued.entries())
      tickets.set(ticket, (socket) => pipe.attach(index as SideIndex, socket));
  }

  // ── sockets ──

  function accept(socket: WebSocket, onSettled: () => void): Connection {
    const stopWaiting = afterReading(clock, parts.firstFrameTimeout, () =>
      closeSocket(socket, clock, closeCode.overloaded, "The ticket arrived too late."),
    );
    let isSettled = false;
    const settle = () => {
      stopWaiting();
      if (!isSettled) onSettled();
      isSettled = true;
    };
    socket.once("message", (bytes: Buffer, binary: boolean) => {
      settle();
      if (binary) closeSocket(socket, clock, closeCode.protocol, "The first message is a ticket, as text.");
      else useTicket(bytes.toString(), socket);
    });
    socket.on("error", (error) => log.debug({ error: error.message }, "relay socket error"));
    socket.on("close", (code) => {
      settle();
      metrics.closed(code);
      log.debug({ code }, "relay socket closed");
    });
    return { suggestReconnect: () => {}, close: () => closeSocket(socket, clock, closeCode.restart) };
  }

  function useTicket(ticket: string, socket: WebSocket): void {
    const attach = tickets.get(ticket);
    tickets.delete(ticket);
    if (attach) {
      attach(socket);
      log.debug({}, "one side of a relayed link has connected");
      return;
    }
    metrics.relayRefused("ticket");
    closeSocket(socket, clock, closeCode.unauthenticated, "This ticket is wrong, used or expired.");
  }

  // ── ends of trust and of sessions ──

  function onChange(message: BusMessage): void {
    switch (message.kind) {
      case "leave":
        // A lost peer may still use its links.
        if (!message.lost) endLinksOf(message.logins.map(({ id }) => id));
        break;
      case "ended":
        endLinksOf(message.peers);
        break;
      case "revoke":
        endLinks(({ caller, callee }) =>
          [caller, callee].some((side) => isOf([message.user], side) && side.id !== message.keep),
        );
        break;
      case "trust":
        checkTrust((link) => isOf(message.users, link.caller) || isOf(message.users, link.callee));
        break;
      case "stale":
        checkTrust(() => true);
        checkPresence().catch(logError);
    }
  }

  function isOf(users: readonly string[], { group }: Pick<Login, "group">): boolean {
    return users.some((user) => accountGroup("", user) === ownerOf(group));
  }

  function endLinksOf(peers: readonly string[]): void {
    endLinks(({ caller, callee }) => peers.includes(caller.id) || peers.includes(callee.id));
  }

  function endLinks(matches: (link: RelayedLink) => boolean): void {
    for (const link of links) if (matches(link)) link.pipe.close(...revoked);
  }

  function checkTrust(matches: (link: RelayedLink) => boolean): void {
    for (const link of [...links].filter(matches))
      presence.mayReach(link.caller, link.callee.group).then((may) => may || link.pipe.close(...revoked), logError);
  }

  /** Ends the links of peers that have been lost for long, or whose end was not announced here. */
  async function checkPresence(): Promise<void> {
    const checked = [...links];
    const groups = new Set(checked.flatMap(({ caller, callee }) => [caller.group, callee.group]));
    const { logins, complete } = await presence.node.online([...groups]);
    const online = new Set(logins.map(({ id }) => id));
    if (complete)
      for (const { caller, callee, pipe } of checked)
        if (!online.has(caller.id) || !online.has(callee.id)) pipe.close(...revoked);
  }

  function logError(error: unknown): void {
    log.error({ error }, "relayed links cannot be checked; retrying");
  }

  return { open, accept, pipes: () => links.size };
}

const revoked = [closeCode.unauthenticated, "The trust, or the session of a side, has ended."] as const;
