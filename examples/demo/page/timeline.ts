import type { Peer, RepliesState, Reply } from "bonevalue";
import type { EchoResponse } from "../echo.ts";
import type { ColorOf } from "./colors.ts";
import { createElement } from "./element.ts";
import { shortId } from "./short-id.ts";

/** A list of calls and replies, newest first. */
export interface Timeline {
  /** Adds a call. The returned object shows its replies. */
  addSent(text: string, to: string): Sent;
  /** Adds a received call and its response. */
  addReceived(peer: Peer, text: string, answer: string): void;
}

/** A call in the timeline. */
export interface Sent {
  reply(reply: Reply<EchoResponse>, timing: { readonly time: number; readonly dialed: boolean }): void;
  /** Shows the numbers of received and pending replies. */
  count(state: RepliesState<unknown>): void;
}

const maxEntries = 60;

/** Clears `list` and shows the timeline in it. */
export function createTimeline(list: HTMLOListElement, colors: ColorOf): Timeline {
  list.replaceChildren();

  function put(entry: HTMLLIElement): void {
    list.prepend(entry);
    while (list.children.length > maxEntries) list.lastElementChild?.remove();
  }

  return {
    addSent(text, to) {
      const state = createElement("small", { class: "tally" });
      const replies = createElement("ul");
      const head = createElement("p", {}, createElement("q", {}, text), createElement("span", {}, `to ${to}`), state);
      put(createElement("li", { class: "sent", "data-tone": colors("Us") }, head, replies));
      return {
        reply(reply, timing) {
          replies.append(lineOf(reply, timing, colors));
        },
        count(replies) {
          state.textContent = progress(replies);
          state.classList.toggle("waiting", replies.pending > 0);
        },
      };
    },
    addReceived(peer, text, answer) {
      const asked = [who(peer), createElement("span", {}, "asked"), createElement("q", {}, text)];
      const answered = [createElement("span", {}, "and got"), createElement("q", {}, answer)];
      put(
        createElement(
          "li",
          { class: "heard", "data-tone": colors(peer.name) },
          createElement("p", {}, ...asked, ...answered),
        ),
      );
    },
  };
}

function lineOf(
  { peer, status, value, error }: Reply<EchoResponse>,
  { time, dialed }: { readonly time: number; readonly dialed: boolean },
  colors: ColorOf,
): HTMLLIElement {
  const what =
    status === "fulfilled"
      ? [createElement("q", {}, value.text)]
      : [createElement("span", { class: "error" }, createElement("code", {}, error.code), ` ${error.message}`)];
  const took = createElement("time", {}, `${time < 10 ? time.toFixed(1) : Math.round(time)} ms`);
  const note = dialed && status === "fulfilled" ? [createElement("small", {}, "opened the link")] : [];
  return createElement("li", { "data-tone": colors(peer.name) }, who(peer), ...what, ...note, took);
}

function who({ name, id }: Peer): HTMLElement {
  return createElement(
    "span",
    { class: "who" },
    createElement("b", {}, name || "nobody"),
    createElement("code", {}, shortId(id)),
  );
}

function progress({ targets, pending, replies }: RepliesState<unknown>): string {
  if (targets === 0) return "no recipient is online";
  if (pending > 0) return `waiting for ${pending} of ${targets}`;
  return `${replies.filter(({ status }) => status === "fulfilled").length} of ${targets} answered`;
}
