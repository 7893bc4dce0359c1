import type { Alias, LinkState, Peer, PeerId, Query } from "bonevalue";
import type { ColorOf } from "./colors.ts";
import { createElement } from "./element.ts";
import { shortId } from "./short-id.ts";

/** The recipient of a message: a query and its label. */
export interface Recipient {
  readonly query: Query;
  readonly label: string;
  /** The query as code. */
  readonly code: string;
}

/** A list of radio buttons for all recipients that are online. */
export interface RecipientList {
  /** Shows these users, whether or not they are online. */
  setUsers(aliases: readonly Alias[]): void;
  add(peer: Peer): void;
  remove(peer: Peer): void;
  setLink(peer: PeerId, state: LinkState): void;
  /** Shows the browser or runtime of a peer. */
  describe(peer: PeerId, by: string): void;
  choose(peer: PeerId): void;
  recipient(): Recipient;
}

/** Options of {@link createRecipientList}. `onChange` is called with the new recipient. */
export interface RecipientListOptions {
  readonly colors: ColorOf;
  onChange(recipient: Recipient): void;
}

const us: Recipient = { query: "Us", label: "your other peers", code: '"Us"' };
const everyone: Recipient = { query: "*", label: "everyone", code: '"*"' };

/** Replaces the content of `list` after its legend. Ignores input once `signal` has aborted. */
export function createRecipientList(
  list: HTMLFieldSetElement,
  { colors, onChange }: RecipientListOptions,
  signal: AbortSignal,
): RecipientList {
  const recipients = new Map<HTMLInputElement, Recipient>();
  const groups = new Map<Alias, HTMLElement>();
  const rows = new Map<PeerId, HTMLElement>();
  const all = option(
    everyone,
    "everyone",
    createElement("b", {}, "Everyone"),
    createElement("code", {}, "*"),
    createElement("small"),
  );

  function option(recipient: Recipient, kind: string, ...children: readonly Node[]): HTMLLabelElement {
    const radio = createElement("input", { type: "radio", name: "to" });
    recipients.set(radio, recipient);
    return createElement("label", { class: `person ${kind}` }, radio, ...children);
  }

  function forget(row: Element): void {
    const radios = row.querySelectorAll("input");
    const wasChosen = [...radios].some((radio) => radio.checked);
    for (const radio of radios) recipients.delete(radio);
    row.remove();
    if (wasChosen) pick(all);
  }

  function pick(row: Element): void {
    const radio = row.querySelector("input")!;
    radio.checked = true;
    onChange(recipients.get(radio)!);
  }

  function recipient(): Recipient {
    return [...recipients].find(([radio]) => radio.checked)?.[1] ?? everyone;
  }

  function count(): void {
    for (const group of groups.values()) showCount(group, group.querySelectorAll(".peer").length);
    showCount(all, rows.size);
  }

  function groupOf(alias: Alias): HTMLElement {
    const there = groups.get(alias);
    if (there) return there;
    const name = alias === "Us" ? "your other peers" : "";
    const recipient = alias === "Us" ? us : { query: { user: alias }, label: alias, code: JSON.stringify(alias) };
    const head = option(
      recipient,
      "user",
      createElement("b", {}, alias),
      createElement("span", {}, name),
      createElement("small"),
    );
    const group = createElement(
      "div",
      { class: "group", role: "group", "aria-label": alias, "data-tone": colors(alias) },
      head,
    );
    groups.set(alias, group);
    list.append(group);
    count();
    return group;
  }

  list.replaceChildren(...list.querySelectorAll("legend"), all);
  list.addEventListener("change", () => onChange(recipient()), { signal });
  all.querySelector("input")!.checked = true;
  groupOf("Us");

  return {
    recipient,
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
      const recipient = { query: { peer: peer.id }, label: `${peer.name} ${id}`, code: `"${id}…"` };
      const row = option(
        recipient,
        "peer",
        createElement("code", {}, id),
        createElement("span"),
        createElement("i", { class: "link" }),
      );
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
    setLink(peer, { status, error }) {
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

function showCount(row: Element, peers: number): void {
  const place = row.querySelector("small");
  if (place) place.textContent = peers === 0 ? "none online" : `${peers} online`;
  row.classList.toggle("empty", peers === 0);
}
