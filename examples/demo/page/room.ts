import type { Client, HandlerContext, Peer, PeerId, Status } from "bonevalue";
import { answerTo, Echo, type Question } from "../echo.ts";
import { browserName } from "./browser-name.ts";
import { part } from "./element.ts";
import { logEvents } from "./events.ts";
import { createGraph } from "./graph.ts";
import { type Choice, createPeople } from "./people.ts";
import { shortId } from "./short-id.ts";
import { createTimeline } from "./timeline.ts";
import { createTones } from "./tones.ts";

/** Who signs in, and the names of all accounts of the demo. */
export interface RoomOptions {
  readonly accounts: readonly string[];
  readonly self: string;
}

const outage = "The discovery server is out of reach; this page keeps trying. Links that are open go on working.";

/** Shows what `client` sees, lets a person send and answers others, until `signal` aborts. */
export function openRoom(client: Client, { accounts, self }: RoomOptions, signal: AbortSignal): void {
  const tones = createTones(accounts, self);
  const text = part("text", HTMLInputElement);
  const by = browserName(navigator.userAgent);
  const timeline = createTimeline(part("timeline", HTMLOListElement), tones);
  const people = createPeople(part("people", HTMLFieldSetElement), { tones, chosen: showChoice }, signal);
  const graph = createGraph(part("graph", SVGSVGElement), { tones, self, pick: people.choose }, signal);

  function showChoice({ label, code }: Choice): void {
    part("send", HTMLButtonElement).textContent = `Send to ${label}`;
    part("code", HTMLElement).textContent = `client.get(${code}).call(Echo, { text: ${JSON.stringify(text.value)} })`;
    aim();
  }

  function aim(): void {
    graph.aim(new Set(targets().map(({ id }) => id)));
  }

  function targets(): readonly Peer[] {
    return client.get(people.choice().query).peers.peek();
  }

  async function send(): Promise<void> {
    const { query, label } = people.choice();
    const linked = new Set<PeerId>(targets().flatMap(({ id }) => (client.link(id).peek().status === "open" ? id : [])));
    for (const { id } of targets()) graph.travel(id, "out");
    const began = performance.now();
    const replies = client.get(query).call(Echo, { text: text.value });
    const entry = timeline.sent(text.value, label);
    const undo = replies.state.subscribe(entry.count);
    for await (const reply of replies) {
      const { peer, value } = reply;
      entry.reply(reply, { time: performance.now() - began, dialed: !linked.has(peer.id) });
      if (!value) continue;
      graph.travel(peer.id, "in");
      if (value.by) people.describe(peer.id, value.by);
    }
    undo();
  }

  function submit(event: SubmitEvent): void {
    event.preventDefault();
    void send();
  }

  function answer({ request, peer }: HandlerContext<Question>) {
    const reply = answerTo(request.text);
    graph.travel(peer.id, "in");
    graph.travel(peer.id, "out");
    timeline.heard(peer, request.text, reply);
    return { text: reply, by };
  }

  function meet(peer: Peer, gone: AbortSignal): void {
    people.add(peer);
    graph.add(peer);
    const undo = client.link(peer.id).subscribe((state) => {
      people.link(peer.id, state);
      graph.link(peer.id, state.status);
    });
    gone.addEventListener("abort", () => {
      undo();
      people.remove(peer);
      graph.remove(peer.id);
    });
  }

  function showStatus(status: Status): void {
    part("status", HTMLElement).textContent = status;
    part("outage", HTMLElement).textContent = status === "reconnecting" ? outage : "";
  }

  const undo = [
    client.module(Echo, answer),
    client.status.subscribe(showStatus),
    client.self.subscribe((me) => showSelf(self, me?.id ?? "")),
    client.users.subscribe(people.setUsers),
    client.get("*").each(meet),
    client.peers.subscribe((peers) => {
      part("alone", HTMLElement).hidden = peers.length > 0;
      aim();
    }),
  ];
  signal.addEventListener("abort", () => {
    for (const off of undo) off();
  });
  logEvents(client, part("events", HTMLOListElement), signal);
  showChoice(people.choice());
  document.body.dataset["tone"] = tones("Us");
  text.addEventListener("input", () => showChoice(people.choice()), { signal });
  part("composer", HTMLFormElement).addEventListener("submit", submit, { signal });
}

function showSelf(name: string, id: PeerId): void {
  part("my-name", HTMLElement).textContent = name;
  part("my-id", HTMLElement).textContent = shortId(id);
  document.title = id === "" ? "bonevalue demo" : `${name} ${shortId(id)} · bonevalue demo`;
}
