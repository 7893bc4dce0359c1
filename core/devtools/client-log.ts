import type { Client } from "../client.ts";
import { BonevalueError } from "../errors.ts";
import type { PeerId } from "../peer.ts";
import type { Link } from "../transport/transport.ts";
import type { Preview } from "./preview.ts";
import { createKeyedRing, createRing, type KeyedRing, type Ring } from "./ring.ts";

/** The direction of a frame, as this client sees it. */
export type Direction = "in" | "out";

/** What the inspector has recorded of one client. Times are ms since the page's time origin, sizes are bytes. */
export interface ClientLog {
  readonly session: SessionRecord;
  /** What has happened to the session and the links, and the client's `error` events. */
  readonly events: Ring<EventRecord>;
  readonly links: Ring<LinkRecord>;
  readonly calls: Ring<CallRecord>;
  readonly streams: Ring<StreamRecord>;
  /** By peer, direction and name. */
  readonly presence: KeyedRing<string, PresenceRecord>;
  /** The names of peers that have been online, by id. They are shown, and never exported. */
  readonly names: KeyedRing<PeerId, string>;
  /** Returns the text of a value. Set while the values of calls, messages and presence are recorded. */
  preview: Preview | undefined;
  /** Called after each change. */
  readonly listeners: Set<() => void>;
  changed(): void;
}

/** The sign-in. It names the kind of credentials, never the credentials. */
export interface SessionRecord {
  host: string;
  credentials: string;
  reconnects: number;
  onlineSince: number | undefined;
  signalsSent: number;
  signalsReceived: number;
}

/** An event of the client. */
export interface EventRecord {
  readonly at: number;
  readonly topic: "session" | "link" | "client";
  readonly text: string;
  readonly peer?: PeerId | undefined;
  /** The code of an error. */
  readonly code?: string | undefined;
  /** The error's message, without anything that it quotes. */
  readonly message?: string | undefined;
}

/** One attempt to open a link, and the link. */
export interface LinkRecord {
  readonly at: number;
  readonly peer: PeerId;
  readonly role: "caller" | "callee";
  status: "connecting" | "open" | "interrupted" | "closed";
  /** From the attempt to the open link, in ms. */
  openedAfter?: number | undefined;
  code?: string | undefined;
  message?: string | undefined;
  path?: string | undefined;
  roundTrip?: number | undefined;
  sentBytes: number;
  receivedBytes: number;
  sentMessages: number;
  receivedMessages: number;
  /** How many ICE candidates of each kind each side has named, such as `host/udp`. Addresses are not recorded. */
  readonly candidates: Record<"local" | "remote", Map<string, number>>;
  /** The link, until it has closed. */
  link?: Link | undefined;
}

/** A call or a one-way message. */
export interface CallRecord {
  readonly at: number;
  readonly peer: PeerId;
  readonly direction: Direction;
  readonly kind: "call" | "message" | "lossy";
  readonly module: string;
  readonly requestSize: number;
  /** `pending`, `ok`, `sent`, `handled`, `received`, or the code of an error. */
  outcome: string;
  responseSize?: number | undefined;
  /** From the request to the answer, in ms. */
  duration?: number | undefined;
  request?: string | undefined;
  response?: string | undefined;
}

/** A stream, a file or a blob. */
export interface StreamRecord {
  readonly at: number;
  readonly peer: PeerId;
  readonly direction: Direction;
  /** Its number on the link. */
  readonly id: number;
  /** The module of its call or message. */
  readonly module: string;
  readonly kind: "stream" | "blob";
  /** The size of a blob. */
  readonly total?: number | undefined;
  items: number;
  bytes: number;
  /** How many bytes the reader has taken, and up to how many the writer may send. */
  read: number;
  limit: number;
  /** `open`, `ended`, or the code of an error. */
  outcome: string;
  duration?: number | undefined;
}

/** The newest value that one side offers to the other. */
export interface PresenceRecord {
  at: number;
  readonly peer: PeerId;
  readonly direction: Direction;
  readonly name: string;
  version: number;
  size: number;
  updates: number;
  status: "subscribed" | "current" | "withdrawn" | "stopped";
  value?: string | undefined;
}

const maxMessage = 500;

/** Creates the empty log of a client. */
export function createClientLog(): ClientLog {
  const listeners = new Set<() => void>();
  return {
    session: {
      host: "",
      credentials: "",
      reconnects: 0,
      onlineSince: undefined,
      signalsSent: 0,
      signalsReceived: 0,
    },
    events: createRing(),
    links: createRing(),
    calls: createRing(),
    streams: createRing(),
    presence: createKeyedRing(),
    names: createKeyedRing(),
    preview: undefined,
    listeners,
    changed() {
      for (const listener of listeners) listener();
    },
  };
}

/** Removes all events, calls and streams, and the links that have closed. */
export function clearLog({ events, calls, streams, links, changed }: ClientLog): void {
  for (const ring of [events, calls, streams]) ring.clear();
  const open = links.newestFirst().filter(({ status }) => status !== "closed");
  links.clear();
  for (const link of open.reverse()) links.add(link);
  changed();
}

/** Adds an event. */
export function addEvent(
  log: ClientLog,
  topic: EventRecord["topic"],
  text: string,
  more: { peer?: PeerId | undefined; error?: unknown } = {},
): void {
  const { peer, error } = more;
  log.events.add({ at: performance.now(), topic, text, peer, ...(error !== undefined && describeError(error)) });
  log.changed();
}

/**
 * Returns an error's code and message. The library quotes what came from the user, such as names, which may contain quotes.
 * So everything from the first to the last quote is left out, as are the user, path and query of URLs.
 */
export function describeError(error: unknown): { readonly code: string; readonly message: string } {
  const { code, message } = error instanceof BonevalueError ? error : { code: "error", message: "" };
  const text = message.replace(/".*"/gs, '"…"').replace(/(\w+:\/\/)(?:\S*@)?([^\s/?#]*)[^\s:]*/g, "$1$2");
  return { code, message: text.slice(0, maxMessage) };
}

/** Records the client's `error` events. The console still gets them while the app has no listener. */
export function recordErrors(client: Client, log: ClientLog): void {
  const { on } = client;
  let listeners = 0;
  on("error", (error) => {
    addEvent(log, "client", "error", { error: log.preview ? error : new BonevalueError(error.code, "") });
    if (listeners === 0) console.error(error);
  });
  client.on = (event, listener) => {
    const undo = on(event, listener);
    if (event !== "error") return undo;
    let isActive = true;
    listeners++;
    return () => {
      if (isActive) listeners--;
      isActive = false;
      undo();
    };
  };
}
