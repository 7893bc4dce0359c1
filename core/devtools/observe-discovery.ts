import type { Discovery, DiscoveryEvents, DiscoverySession } from "../discovery/discovery.ts";
import type { PeerId, PeerInfo } from "../peer.ts";
import { addEvent, type ClientLog } from "./client-log.ts";

type EventName = keyof DiscoveryEvents;

/** Records one kind of event. */
type Recorders = { readonly [Name in EventName]: (...args: Parameters<DiscoveryEvents[Name]>) => void };

// Their arguments are names, addresses, passwords and tokens, so only the name of the request is recorded.
const requests: ReadonlySet<PropertyKey> = new Set<keyof DiscoverySession>([
  "invite",
  "requestToken",
  "claimToken",
  "removeUser",
  "changePassword",
  "devices",
  "forgetDevice",
]);

/** Returns a discovery that does the same, and records it. */
export function observeDiscovery(discovery: Discovery, log: ClientLog): Discovery {
  const { session } = log;
  return {
    local: discovery.local,
    ...(discovery.urlOf && { urlOf: (host) => discovery.urlOf!(host) }),
    open(host, credentials, events, options) {
      session.host = hostOf(host);
      session.credentials = kindOf(credentials);
      session.reconnects = 0;
      session.onlineSince = undefined;
      addEvent(log, "session", `sign in with ${session.credentials}`);
      const recorders = createRecorders(log);
      const observed = Object.fromEntries(
        Object.keys(recorders).map((name) => [
          name,
          (...args: never[]) => {
            (recorders[name as EventName] as (...args: never[]) => void)(...args);
            (events[name as EventName] as (...args: never[]) => void)(...args);
          },
        ]),
      );
      return observeSession(discovery.open(host, credentials, observed as unknown as DiscoveryEvents, options), log);
    },
  };
}

function createRecorders(log: ClientLog): Recorders {
  const { session } = log;
  let isInterrupted = false;
  const add = (text: string, more?: Parameters<typeof addEvent>[3]) => addEvent(log, "session", text, more);
  const rememberName = ({ id, name }: PeerInfo) => log.names.set(id, name);
  return {
    online({ self, peers }) {
      if (isInterrupted) session.reconnects++;
      isInterrupted = false;
      session.onlineSince = performance.now();
      for (const peer of peers) rememberName(peer);
      add(`online as ${self.id} with ${peers.length} peers`);
    },
    interrupted(error) {
      isInterrupted = true;
      session.onlineSince = undefined;
      add("interrupted", { error });
    },
    ended(error) {
      session.onlineSince = undefined;
      add("ended", { error });
    },
    peerConnect(peer) {
      rememberName(peer);
      add("peer connected", { peer: peer.id });
    },
    peerUpdate: (peer) => add("peer changed its profile", { peer }),
    peerDisconnect: (peer, lost) => add(lost ? "peer lost" : "peer left", { peer }),
    userAdd: () => add("user added"),
    userRemove: () => add("user removed"),
    iceServers: ({ length }) => add(`${length} ICE servers`),
    signal: () => void session.signalsReceived++,
    unreachable: (peer) => add("peer is not online", { peer }),
    woke: () => add("the page may have slept"),
  };
}

/** Returns a session that does the same, and records its requests. A proxy, because several methods are optional. */
function observeSession(session: DiscoverySession, log: ClientLog): DiscoverySession {
  const { close } = session;
  return new Proxy(session, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name, target);
      if (typeof member !== "function") return member;
      return (...args: unknown[]) => {
        if (name === "signal") log.session.signalsSent++;
        if (name === "openRelay" && args[1] === "callee")
          addEvent(log, "session", "peer asked for the relay", { peer: args[0] as PeerId });
        // Identity puts a `close` of its own in its place, which calls this one: only this one is recorded.
        if (member === close) addEvent(log, "session", "left");
        const result = member.apply(target, args);
        if (requests.has(name)) recordOutcome(log, String(name), result);
        return result;
      };
    },
  });
}

function recordOutcome(log: ClientLog, name: string, result: Promise<unknown>): void {
  result.then(
    () => addEvent(log, "session", name),
    (error: unknown) => addEvent(log, "session", name, { error }),
  );
}

function kindOf(credentials: Parameters<Discovery["open"]>[1]): string {
  if ("session" in credentials) return "resumed session";
  if ("device" in credentials) return "remembered device";
  if ("invite" in credentials) return "invitation";
  if ("token" in credentials) return "token";
  return "room" in credentials ? "room" : "password";
}

/** Leaves out the user, path and query of a URL, which may be secret. A path is on the server of the page. */
function hostOf(host: string): string {
  if (host.startsWith("/")) return globalThis.location?.host ?? "";
  return host
    .replace(/^\w+:\/\//, "")
    .split(/[/?#]/, 1)[0]!
    .replace(/^.*@/, "");
}
