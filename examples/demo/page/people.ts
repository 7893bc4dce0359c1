import type { Alias, LinkState, Peer, PeerId, Query } from "bonevalue";
import { element } from "./element.ts";
import { shortId } from "./short-id.ts";
import type { Tones } from "./tones.ts";

/** Whom a message is for: a query, and what people call it. */
export interface Choice {
  readonly query: Query;
  readonly label: string;
  /** The query as code. */
  readonly code: string;
}

/** Everybody who is online, as one choice. */
export interface People {
  /** Who else may be there, whether or not they are online. */
  setUsers(aliases: readonly Alias[]): void;
  add(peer: Peer): void;
  remove(peer: Peer): void;
  link(peer: PeerId, state: LinkState): void;
  /** What runs this peer, once it has said so. */
  describe(peer: PeerId, by: string): void;
  choose(peer: PeerId): void;
  choice(): Choice;
}

/** What the list needs. `chosen` is called when the choice has changed. */
export interface PeopleOptions {
  readonly tones: Tones;
  chosen(choice: Choice): void;
}

const us: Choice = { query: "Us", label: "your other logins", code: '"Us"' };
const everyone: Choice = { query: "*", label: "everyone", code: '"*"' };

/** Lists into `list`, after its legend; what was there before goes. Deaf once `signal` has aborted. */
export function createPeople(list: HTMLFieldSetElement, { tones, chosen }: PeopleOptions, signal: AbortSignal): People {
  const choices = new Map<HTMLInputElement, Choice>();
  const groups = new Map<Alias, HTMLElement>();
  const rows = new Map<PeerId, HTMLElement>();
  const all = option(everyone, "everyone", element("b", {}, "Everyone"), element("code", {}, "*"), element("small"));

  function option(choice: Choice, kind: string, ...children: readonly Node[]): HTMLLabelElement {
    const radio = element("input", { type: "radio", name: "to" });
    choices.set(radio, choice);
    return element("label", { class: `person ${kind}` }, radio, ...children);
  }

  function forget(row: Element): void {
    const radios = row.querySelectorAll("input");
    const wasChosen = [...radios].some((radio) => radio.checked);
    for (const radio of radios) choices.delete(radio);
    row.remove();
    if (wasChosen) pick(all);
  }

  function pick(row: Element): void {
    const radio = row.querySelector("input")!;
    radio.checked = true;
    chosen(choices.get(radio)!);
  }

  function choice(): Choice {
    return [...choices].find(([radio]) => radio.checked)?.[1] ?? everyone;
  }

  function count(): void {
    for (const group of groups.values()) tell(group, group.querySelectorAll(".peer").length);
    tell(all, rows.size);
  }

  function groupOf(alias: Alias): HTMLElement {
    const there = groups.get(alias);
    if (there) return there;
    const name = alias === "Us" ? "your other logins" : "";
    const choice = alias === "Us" ? us : { query: { user: alias }, label: alias, code: JSON.stringify(alias) };
    const head = option(choice, "user", element("b", {}, alias), element("span", {}, name), element("small"));
    const group = element(
      "div",
      { class: "group", role: "group", "aria-label": alias, "data-tone": tones(alias) },
      head,
    );
    groups.set(alias, group);
    list.append(group);
    count();
    return group;
  }

  list.replaceChildren(...list.querySelectorAll("legend"), all);
  list.addEventListener("change", () => chosen(choice()), { signal });
  all.querySelector("input")!.checked = true;
  groupOf("Us");

  return {
    choice,
    setUsers(aliases) {
      for (const alias of aliases) groupOf(alias);
      for (const [alias, group] of groups) {
        if (alias === "Us" || aliases.includes(alias)) continue;
        groups.delete(alias);
        forget(group);
      }
    },
    add(peer) {
      const id = shortId(peer.id);
      const choice = { query: { peer: peer.id }, label: `${peer.name} ${id}`, code: `"${id}…"` };
      const row = option(choice, "peer", element("code", {}, id), element("span"), element("i", { class: "link" }));
      rows.set(peer.id, row);
      groupOf(peer.name).append(row);
      count();
    },
    remove({ id }) {
      const row = rows.get(id);
      rows.delete(id);
      if (row) forget(row);
      count();
    },
    link(peer, { status, error }) {
      const badge = rows.get(peer)?.querySelector<HTMLElement>(".link");
      if (!badge) return;
      badge.dataset["link"] = status;
      badge.textContent = status === "idle" ? "no link" : status;
      badge.title = error?.message ?? "";
    },
    describe(peer, by) {
      const place = rows.get(peer)?.querySelector("span");
      if (place) place.textContent = by;
    },
    choose(peer) {
      const row = rows.get(peer);
      if (row) pick(row);
    },
  };
}

function tell(row: Element, peers: number): void {
  const place = row.querySelector("small");
  if (place) place.textContent = peers === 0 ? "nobody online" : `${peers} online`;
  row.classList.toggle("empty", peers === 0);
}
