import type { Client, HandlerContext, Peer, PeerId, Status } from "bonevalue";
import { Echo, type EchoRequest, negate } from "../echo.ts";
import { browserName } from "./browser-name.ts";
import { createColors } from "./colors.ts";
import { getElement } from "./element.ts";
import { logEvents } from "./events.ts";
import { createGraph } from "./graph.ts";
import { createRecipientList, type Recipient } from "./recipient-list.ts";
import { shortId } from "./short-id.ts";
import { createTimeline } from "./timeline.ts";

/** Options of {@link showSession}: the account that signs in, and all accounts of the demo. */
export interface SessionOptions {
  readonly accounts: readonly string[];
  readonly self: string;
}

const outage = "The discovery server is unreachable. This page keeps trying to reconnect. Open links continue to work.";

/** Shows the state of `client`, sends the user's messages and answers calls, until `signal` aborts. */
export function showSession(client: Client, { accounts, self }: SessionOptions, signal: AbortSignal): void {
  const colors = createColors(accounts, self);
  const text = getElement("text", HTMLInputElement);
  const by = browserName(navigator.userAgent);
  const timeline = createTimeline(getElement("timeline", HTMLOListElement), colors);
  const people = createRecipientList(
    getElement("people", HTMLFieldSetElement),
    { colors, onChange: showRecipient },
    signal,
  );
  const graph = createGraph(getElement("graph", SVGSVGElement), { colors, self, pick: people.choose }, signal);

  function showRecipient({ label, code }: Recipient): void {
    getElement("send", HTMLButtonElement).textContent = `Send to ${label}`;
    getElement("code", HTMLElement).textContent =
      `client.get(${code}).call(Echo, { text: ${JSON.stringify(text.value)} })`;
    highlight();
  }

  function highlight(): void {
    graph.highlight(new Set(targets().map(({ id }) => id)));
  }

  function targets(): readonly Peer[] {
    return client.get(people.recipient().query).peers.peek();
  }

  async function send(): Promise<void> {
    const { query, label } = people.recipient();
    const linked = new Set<PeerId>(targets().flatMap(({ id }) => (client.link(id).peek().status === "open" ? id : [])));
    for (const { id } of targets()) graph.animateMessage(id, "out");
    const began = performance.now();
    const replies = client.get(query).call(Echo, { text: text.value });
    const entry = timeline.addSent(text.value, label);
    const undo = replies.state.subscribe(entry.count);
    for await (const reply of replies) {
      const { peer, value } = reply;
      entry.reply(reply, { time: performance.now() - began, dialed: !linked.has(peer.id) });
      if (!value) continue;
      graph.animateMessage(peer.id, "in");
      if (value.by) people.describe(peer.id, value.by);
    }
    undo();
  }

  function submit(event: SubmitEvent): void {
    event.preventDefault();
    void send();
  }

  function answer({ request, peer }: HandlerContext<EchoRequest>) {
    const reply = negate(request.text);
    graph.animateMessage(peer.id, "in");
    graph.animateMessage(peer.id, "out");
    timeline.addReceived(peer, request.text, reply);
    return { text: reply, by };
  }

  function meet(peer: Peer, gone: AbortSignal): void {
    people.add(peer);
    graph.add(peer);
    const undo = client.link(peer.id).subscribe((state) => {
      people.setLink(peer.id, state);
      graph.setLink(peer.id, state.status);
    });
    gone.addEventListener("abort", () => {
      undo();
      people.remove(peer);
      graph.remove(peer.id);
    });
  }

  function showStatus(status: Status): void {
    getElement("status", HTMLElement).textContent = status;
    getElement("outage", HTMLElement).textContent = status === "reconnecting" ? outage : "";
  }

  const undo = [
    client.module(Echo, answer),
    client.status.subscribe(showStatus),
    client.self.subscribe((me) => showSelf(self, me?.id ?? "")),
    client.users.subscribe(people.setUsers),
    client.get("*").each(meet),
    client.peers.subscribe((peers) => {
      getElement("alone", HTMLElement).hidden = peers.length > 0;
      highlight();
    }),
  ];
  signal.addEventListener("abort", () => {
    for (const off of undo) off();
  });
  logEvents(client, getElement("events", HTMLOListElement), signal);
  showRecipient(people.recipient());
  document.body.dataset["tone"] = colors("Us");
  text.addEventListener("input", () => showRecipient(people.recipient()), { signal });
  getElement("composer", HTMLFormElement).addEventListener("submit", submit, { signal });
}

function showSelf(name: string, id: PeerId): void {
  getElement("my-name", HTMLElement).textContent = name;
  getElement("my-id", HTMLElement).textContent = shortId(id);
  document.title = id === "" ? "bonevalue demo" : `${name} ${shortId(id)} · bonevalue demo`;
}
