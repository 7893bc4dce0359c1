import type { CallRecord, EventRecord, LinkRecord, PresenceRecord, StreamRecord } from "../client-log.ts";
import type { Ring } from "../ring.ts";
import { formatBytes, formatDuration, formatTime } from "./format.ts";
import { helpFor } from "./help.ts";
import { nameOf, type Source, type View } from "./tab-view.ts";
import { createTable, type TableOptions } from "./table.ts";

const arrows = { in: "← in", out: "→ out" } as const;
const notRecorded = "Not recorded: import bonevalue/devtools before you call createClient.";

/** The tab of links: the newest first, with those that have closed. */
export function linksView(source: Source): View {
  const view = recordsView("Links", source.log?.links, {
    label: "Links",
    empty: "No link yet. The first call to a peer opens one.",
    tone: ({ status, code }) => (status === "connecting" ? "pending" : isFailure(code) ? "error" : undefined),
    columns: [
      { title: "Peer", width: 80, text: ({ peer }) => nameOf(source, peer) },
      { title: "State", width: 84, text: ({ status }) => status },
      { title: "Path", width: 60, text: ({ path = "" }) => path },
      { title: "RTT", width: 50, isFixed: true, isNumber: true, text: ({ roundTrip }) => formatDuration(roundTrip) },
      { title: "Sent", width: 58, isFixed: true, isNumber: true, text: ({ sentBytes }) => formatBytes(sentBytes) },
      {
        title: "Received",
        width: 58,
        isFixed: true,
        isNumber: true,
        text: ({ receivedBytes }) => formatBytes(receivedBytes),
      },
      { title: "Buffered", width: 64, isNumber: true, shown: "wide", text: ({ link }) => formatBytes(link?.buffered) },
      {
        title: "Opened in",
        width: 64,
        isNumber: true,
        shown: "wide",
        text: ({ openedAfter }) => formatDuration(openedAfter),
      },
      { title: "Since", shown: "never", text: ({ at }) => formatTime(at) },
      { title: "Role", shown: "never", text: ({ role }) => role },
      { title: "Messages sent", shown: "never", text: ({ sentMessages }) => String(sentMessages) },
      { title: "Messages received", shown: "never", text: ({ receivedMessages }) => String(receivedMessages) },
      { title: "Own candidates", shown: "never", text: ({ candidates }) => listOf(candidates.local) },
      { title: "Peer’s candidates", shown: "never", text: ({ candidates }) => listOf(candidates.remote) },
      { title: "Error", shown: "never", text: describe },
      { title: "Help", shown: "never", text: ({ code }) => helpFor(code) },
    ],
  } satisfies TableOptions<LinkRecord>);
  return { ...view, measure: () => void measureLinks(source) };
}

async function measureLinks({ log }: Source): Promise<void> {
  const open = log?.links.newestFirst().filter(({ link }) => link?.stats) ?? [];
  // A link may end while it is measured.
  await Promise.allSettled(open.map(async (record) => Object.assign(record, await record.link!.stats!())));
  log?.changed();
}

/** The tab of calls and messages. */
export function callsView(source: Source): View {
  return recordsView("Calls", source.log?.calls, {
    label: "Calls and messages",
    empty: "No call and no message yet.",
    isTimeline: true,
    tone: ({ outcome }) =>
      outcome === "pending" ? "pending" : /^(ok|sent|handled|received)$/.test(outcome) ? undefined : "error",
    columns: [
      { title: "Time", width: 92, shown: "wide", text: ({ at }) => formatTime(at) },
      { title: "In/out", width: 44, isFixed: true, text: ({ direction }) => arrows[direction] },
      { title: "Module", width: 120, text: ({ module }) => module },
      { title: "Peer", width: 80, text: ({ peer }) => nameOf(source, peer) },
      { title: "Kind", width: 58, shown: "wide", text: ({ kind }) => kind },
      { title: "Outcome", width: 112, text: ({ outcome }) => outcome },
      { title: "Took", width: 60, isFixed: true, isNumber: true, text: ({ duration }) => formatDuration(duration) },
      { title: "Size", width: 116, isNumber: true, shown: "wide", text: sizesOf },
      { title: "Request", shown: "never", text: ({ request = "" }) => request },
      { title: "Response", shown: "never", text: ({ response = "" }) => response },
      { title: "Help", shown: "never", text: ({ outcome }) => helpFor(outcome) },
    ],
  } satisfies TableOptions<CallRecord>);
}

/** The tab of streams, files and blobs. */
export function streamsView(source: Source): View {
  return recordsView("Streams", source.log?.streams, {
    label: "Streams",
    empty: "No stream yet.",
    isTimeline: true,
    tone: ({ outcome }) => (outcome === "open" ? "pending" : outcome === "ended" ? undefined : "error"),
    columns: [
      { title: "Time", width: 92, shown: "wide", text: ({ at }) => formatTime(at) },
      { title: "In/out", width: 44, isFixed: true, text: ({ direction }) => arrows[direction] },
      { title: "Module", width: 120, text: ({ module }) => module },
      { title: "Peer", width: 80, text: ({ peer }) => nameOf(source, peer) },
      { title: "State", width: 84, text: ({ outcome }) => outcome },
      { title: "Progress", width: 150, text: progressOf, share: shareOf },
      { title: "Credit", width: 64, isNumber: true, shown: "wide", text: (stream) => formatBytes(creditOf(stream)) },
      { title: "Items", width: 50, isNumber: true, shown: "wide", text: ({ items }) => String(items) },
      { title: "Kind", shown: "never", text: ({ kind }) => kind },
      { title: "Number", shown: "never", text: ({ id }) => String(id) },
      { title: "Read", shown: "never", text: ({ read }) => formatBytes(read) },
      { title: "Took", shown: "never", text: ({ duration }) => formatDuration(duration) },
      { title: "Help", shown: "never", text: ({ outcome }) => helpFor(outcome) },
    ],
  } satisfies TableOptions<StreamRecord>);
}

/** The tab of presence. */
export function presenceView(source: Source): View {
  return recordsView("Presence", source.log?.presence, {
    label: "Presence",
    empty: "No peer shares a presence value over an open link.",
    columns: [
      { title: "Name", width: 120, text: ({ name }) => name },
      { title: "In/out", width: 44, isFixed: true, text: ({ direction }) => arrows[direction] },
      { title: "Peer", width: 80, text: ({ peer }) => nameOf(source, peer) },
      { title: "State", width: 84, text: ({ status }) => status },
      { title: "Version", width: 48, isFixed: true, isNumber: true, text: ({ version }) => String(version) },
      { title: "Size", width: 116, isNumber: true, shown: "wide", text: ({ size }) => formatBytes(size) },
      { title: "Changed", width: 92, shown: "wide", text: ({ at }) => formatTime(at) },
      { title: "Updates", shown: "never", text: ({ updates }) => String(updates) },
      { title: "Value", shown: "never", text: ({ value = "" }) => value },
    ],
  } satisfies TableOptions<PresenceRecord>);
}

/** The tab of events and errors. */
export function eventsView(source: Source): View {
  return recordsView("Log", source.log?.events, {
    label: "Log",
    empty: "Nothing has happened yet.",
    isTimeline: true,
    tone: ({ code }) => (isFailure(code) ? "error" : undefined),
    columns: [
      { title: "Time", width: 92, text: ({ at }) => formatTime(at) },
      { title: "Topic", width: 56, shown: "wide", text: ({ topic }) => topic },
      { title: "Peer", width: 80, text: ({ peer }) => nameOf(source, peer) },
      { title: "Event", width: 190, text: ({ text, code }) => (code === undefined ? text : `${text} (${code})`) },
      { title: "Message", width: 230, shown: "wide", text: ({ message = "" }) => message },
      { title: "Help", shown: "never", text: ({ code }) => helpFor(code) },
    ],
  } satisfies TableOptions<EventRecord>);
}

function recordsView<Row extends object>(
  name: string,
  records: Pick<Ring<Row>, "size" | "newestFirst"> | undefined,
  options: TableOptions<Row>,
): View {
  const table = createTable(records ? options : { ...options, empty: notRecorded });
  return {
    name,
    element: table.element,
    count: () => records?.size ?? 0,
    show: (filter) => table.show(records?.newestFirst() ?? [], filter),
  };
}

// A link also ends with these when the app or the peer leaves, or when both sides have dialed.
function isFailure(code: string | undefined): boolean {
  return code !== undefined && code !== "disconnected" && code !== "cancelled";
}

function listOf(counts: ReadonlyMap<string, number>): string {
  return [...counts].map(([kind, count]) => `${count} ${kind}`).join(", ");
}

function describe({ code, message = "" }: LinkRecord): string {
  return code === undefined ? "" : `${code}: ${message}`;
}

function sizesOf({ requestSize, responseSize }: CallRecord): string {
  return responseSize === undefined
    ? formatBytes(requestSize)
    : `${formatBytes(requestSize)} → ${formatBytes(responseSize)}`;
}

function progressOf({ bytes, total }: StreamRecord): string {
  return total === undefined ? formatBytes(bytes) : `${formatBytes(Math.min(bytes, total))} of ${formatBytes(total)}`;
}

function shareOf({ bytes, total }: StreamRecord): number | undefined {
  return total ? Math.min(1, bytes / total) : undefined;
}

function creditOf({ limit, bytes, outcome }: StreamRecord): number | undefined {
  return outcome === "open" ? Math.max(0, limit - bytes) : undefined;
}
