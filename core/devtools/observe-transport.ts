import type { Candidate, Description, Link, SignalExchange, Transport } from "../transport/transport.ts";
import type { DecodeLimits } from "../wire/codec.ts";
import { addEvent, type ClientLog, describeError, type LinkRecord } from "./client-log.ts";
import { createFrameObserver } from "./frame-observer.ts";

/** Returns a transport that does the same, and records it. `limits` bound the values that are read. */
export function observeTransport(transport: Transport, log: ClientLog, limits: DecodeLimits): Transport {
  return {
    channelBinding: transport.channelBinding,
    open(peer, role, exchange) {
      const record: LinkRecord = {
        at: performance.now(),
        peer,
        role,
        status: "connecting",
        sentBytes: 0,
        receivedBytes: 0,
        sentMessages: 0,
        receivedMessages: 0,
        candidates: { local: new Map(), remote: new Map() },
      };
      log.links.add(record);
      addEvent(log, "link", role === "caller" ? "dial" : "accept", { peer });
      return observeLink(transport.open(peer, role, observeExchange(exchange, record)), record, log, limits);
    },
    ...(transport.probe && { probe: (servers) => transport.probe!(servers) }),
  };
}

function observeLink(link: Link, record: LinkRecord, log: ClientLog, limits: DecodeLimits): Link {
  const { peer, at } = record;
  const frames = createFrameObserver(peer, log, limits);
  record.link = link;

  function setStatus(status: LinkRecord["status"], error?: unknown): void {
    record.status = status;
    if (error !== undefined) Object.assign(record, describeError(error));
    addEvent(log, "link", status, { peer, error });
  }

  link.opened.then(
    () => {
      record.openedAfter = performance.now() - at;
      setStatus("open");
    },
    // `closed` reports the failure, too.
    () => {},
  );
  link.closed.then((reason) => {
    record.link = undefined;
    frames.end(reason?.code ?? "disconnected");
    setStatus("closed", reason);
  });

  return {
    opened: link.opened,
    closed: link.closed,
    get maxMessage() {
      return link.maxMessage;
    },
    get buffered() {
      return link.buffered;
    },
    get lowMark() {
      return link.lowMark;
    },
    set lowMark(bytes) {
      link.lowMark = bytes;
    },
    listen(events) {
      link.listen({
        message(channel, bytes) {
          record.receivedBytes += bytes.length;
          record.receivedMessages++;
          frames.read("in", channel, bytes);
          events.message(channel, bytes);
        },
        drain: () => events.drain(),
        interrupted(reason) {
          setStatus("interrupted", reason);
          events.interrupted(reason);
        },
        restored() {
          setStatus("open");
          events.restored();
        },
      });
    },
    send(channel, message) {
      record.sentBytes += message.length;
      record.sentMessages++;
      frames.read("out", channel, message);
      link.send(channel, message);
    },
    close: (reason) => link.close(reason),
    ...(link.trouble && { trouble: () => link.trouble!() }),
    ...(link.stats && { stats: () => link.stats!() }),
  };
}

/** Counts the candidates that the two sides exchange. */
function observeExchange(exchange: SignalExchange, { candidates }: LinkRecord): SignalExchange {
  const { local, remote } = candidates;
  return {
    describe(description) {
      countDescribed(local, description);
      exchange.describe(description);
    },
    candidate(candidate) {
      countCandidate(local, candidate);
      exchange.candidate(candidate);
    },
    restart: () => exchange.restart(),
    settled: () => exchange.settled(),
    listen(listener) {
      exchange.listen({
        description(description) {
          countDescribed(remote, description);
          listener.description(description);
        },
        candidate(candidate) {
          countCandidate(remote, candidate);
          listener.candidate(candidate);
        },
        restart: () => listener.restart(),
      });
    },
    iceServers: () => exchange.iceServers(),
    relay: exchange.relay,
  };
}

function countDescribed(counts: Map<string, number>, { sdp }: Description): void {
  for (const [candidate] of sdp.matchAll(/candidate:.*/g)) countCandidate(counts, { candidate });
}

// RFC 8839, section 5.1: foundation, component, protocol, priority, address, port, "typ", type.
const candidatePattern = /^candidate:\S+ \d+ (udp|tcp) \d+ \S+ \d+ typ (host|srflx|prflx|relay)\b/i;

function countCandidate(counts: Map<string, number>, { candidate }: Candidate): void {
  const [, protocol, type] = candidatePattern.exec(candidate ?? "") ?? [];
  if (protocol === undefined) return;
  const kind = `${type}/${protocol}`.toLowerCase();
  counts.set(kind, (counts.get(kind) ?? 0) + 1);
}
