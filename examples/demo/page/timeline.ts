import type { Peer, RepliesState, Reply } from "bonevalue";
import type { Answer } from "../echo.ts";
import { element } from "./element.ts";
import { shortId } from "./short-id.ts";
import type { Tones } from "./tones.ts";

/** What was asked and answered, newest first. */
export interface Timeline {
  /** A call has been made; the rest is told to what is returned. */
  sent(text: string, to: string): Sent;
  /** Somebody has asked us, and we have answered. */
  heard(peer: Peer, text: string, answer: string): void;
}

/** One call, as its replies come in. */
export interface Sent {
  reply(reply: Reply<Answer>, told: { readonly time: number; readonly dialed: boolean }): void;
  /** How many have come, and are still to come. */
  count(state: RepliesState<unknown>): void;
}

const most = 60;

/** Writes into `list`, which it empties first. */
export function createTimeline(list: HTMLOListElement, tones: Tones): Timeline {
  list.replaceChildren();

  function put(entry: HTMLLIElement): void {
    list.prepend(entry);
    while (list.children.length > most) list.lastElementChild?.remove();
  }

  return {
    sent(text, to) {
      const state = element("small", { class: "tally" });
      const replies = element("ul");
      const head = element("p", {}, element("q", {}, text), element("span", {}, `to ${to}`), state);
      put(element("li", { class: "sent", "data-tone": tones("Us") }, head, replies));
      return {
        reply(reply, told) {
          replies.append(lineOf(reply, told, tones));
        },
        count(replies) {
          state.textContent = progress(replies);
          state.classList.toggle("waiting", replies.pending > 0);
        },
      };
    },
    heard(peer, text, answer) {
      const asked = [who(peer), element("span", {}, "asked"), element("q", {}, text)];
      const told = [element("span", {}, "and got"), element("q", {}, answer)];
      put(element("li", { class: "heard", "data-tone": tones(peer.name) }, element("p", {}, ...asked, ...told)));
    },
  };
}

function lineOf(
  { peer, status, value, error }: Reply<Answer>,
  { time, dialed }: { readonly time: number; readonly dialed: boolean },
  tones: Tones,
): HTMLLIElement {
  const what =
    status === "fulfilled"
      ? [element("q", {}, value.text)]
      : [element("span", { class: "error" }, element("code", {}, error.code), ` ${error.message}`)];
  const took = element("time", {}, `${time < 10 ? time.toFixed(1) : Math.round(time)} ms`);
  const note = dialed && status === "fulfilled" ? [element("small", {}, "opened the link")] : [];
  return element("li", { "data-tone": tones(peer.name) }, who(peer), ...what, ...note, took);
}

function who({ name, id }: Peer): HTMLElement {
  return element("span", { class: "who" }, element("b", {}, name || "nobody"), element("code", {}, shortId(id)));
}

function progress({ targets, pending, replies }: RepliesState<unknown>): string {
  if (targets === 0) return "nobody is online there";
  if (pending > 0) return `waiting for ${pending} of ${targets}`;
  return `${replies.filter(({ status }) => status === "fulfilled").length} of ${targets} answered`;
}
