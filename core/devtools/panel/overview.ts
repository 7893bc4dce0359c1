import type { Peer } from "../../peer.ts";
import { createPreview, type Redact } from "../preview.ts";
import { element, setText } from "./element.ts";
import { formatDuration } from "./format.ts";
import { helpFor } from "./help.ts";
import type { Source, View } from "./tab-view.ts";
import { createTable } from "./table.ts";

/** The first tab: the session, and the peers that are online. */
export function overviewView({ client, log }: Source, redact: Redact | undefined): View {
  const preview = createPreview(redact);
  const identityOf = ({ name }: Peer) => client.identityOf(name).peek();
  const linkOf = ({ id }: Peer) => client.link(id).peek();
  const facts: readonly (readonly [title: string, text: () => string])[] = [
    ["Session", () => client.status.peek()],
    ["Online for", onlineFor],
    ["Reconnects", () => (log ? String(log.session.reconnects) : "")],
    ["Server", () => log?.session.host ?? ""],
    ["Signed in with", () => log?.session.credentials ?? ""],
    ["Signals", () => (log ? `${log.session.signalsSent} sent, ${log.session.signalsReceived} received` : "")],
    ["Own name", () => client.self.peek()?.username ?? ""],
    ["Own id", () => client.getId() ?? ""],
  ];
  const values = facts.map(() => element("dd"));
  const groups = facts.map(([title], index) => element("div", {}, element("dt", {}, title), values[index]!));
  const peers = createTable<Peer>({
    label: "Peers",
    empty: "No other peer is online.",
    key: ({ id }) => id,
    tone: (peer) => (linkOf(peer).error || identityOf(peer).status === "changed" ? "error" : undefined),
    columns: [
      { title: "Peer", width: 120, text: ({ name }) => name },
      { title: "Link", width: 70, text: (peer) => linkOf(peer).status },
      { title: "Identity", width: 70, text: (peer) => identityText(identityOf(peer).status, linkOf(peer).verified) },
      { title: "Profile", width: 200, shown: "wide", text: ({ profile }) => preview(profile) },
      { title: "Id", width: 150, shown: "wide", text: ({ id }) => id },
      { title: "Safety number", shown: "never", text: (peer) => identityOf(peer).safetyNumber ?? "" },
      { title: "Error", shown: "never", text: (peer) => linkOf(peer).error?.message ?? "" },
      { title: "Help", shown: "never", text: (peer) => helpFor(linkOf(peer).error?.code) },
    ],
  });

  function onlineFor(): string {
    const since = log?.session.onlineSince;
    return since === undefined ? "" : formatDuration(performance.now() - since);
  }

  return {
    name: "Overview",
    element: element("div", { class: "overview" }, element("dl", { class: "facts" }, ...groups), peers.element),
    count: () => client.peers.peek().length,
    show(filter) {
      for (const [index, [, text]] of facts.entries()) {
        const shown = text();
        setText(values[index]!, shown);
        groups[index]!.hidden = shown === "";
      }
      peers.show(client.peers.peek(), filter);
    },
  };
}

function identityText(status: string, verified: boolean | undefined): string {
  if (status !== "unknown") return status;
  return verified ? "verified" : "";
}
