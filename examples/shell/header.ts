import type { Client, Status } from "bonevalue";
import { mount } from "bonevalue/devtools";
import { element } from "./element.ts";

const mark = `<svg viewBox="0 0 34 16" width="34" height="16" aria-hidden="true"><circle cx="5" cy="5" r="4"/><circle cx="5"
  cy="11" r="4"/><circle cx="29" cy="5" r="4"/><circle cx="29" cy="11" r="4"/><rect x="5" y="5.5" width="24" height="5"/></svg>`;

/** The name of this page’s user, and of the page that it links to. */
export interface AccountPair {
  readonly me: string;
  readonly other: string;
}

/**
 * Adds a header to an example: the title and description, who is signed in, a button for the inspector, and, while no other
 * peer is online, an invitation to open a second tab. Returns a function that shows an error.
 */
export function drawHeader(client: Client, { me, other }: AccountPair): (problem: string) => void {
  const { status, peers } = client;
  document.body.dataset["who"] = me;
  const who = element("span", { className: "me" });
  const problem = element("p", { className: "problem", role: "alert" });
  const home = element("a", { className: "mark", href: "/", innerHTML: `${mark}bonevalue` });
  const otherPage = element("a", {
    href: `?as=${other}${location.hash}`,
    target: "_blank",
    textContent: `Open a second tab, as ${other}`,
  });
  const alone = element("p", { className: "alone", hidden: true }, "Nobody else is here. ", otherPage);
  const nav = element("nav", {}, home, who, inspectorButton(client));
  const title = element("h1", { textContent: document.title.replace(" · bonevalue", "") });
  const idea = element("p", { textContent: description() });
  document.body.prepend(element("header", { className: "shell" }, nav, title, idea, alone, problem));

  const showAlone = () => {
    alone.hidden = status.value !== "online" || peers.value.length > 0;
  };
  status.subscribe((now: Status) => {
    who.dataset["status"] = now;
    who.textContent = `${me}, ${now}`;
    showAlone();
  });
  peers.subscribe(showAlone);
  return (text) => {
    problem.textContent = text;
  };
}

/** Shows and removes the inspector. */
function inspectorButton(client: Client): HTMLButtonElement {
  const button = element("button", {
    className: "quiet",
    type: "button",
    textContent: "Inspector",
    ariaPressed: "false",
  });
  let undo: (() => void) | undefined;
  button.onclick = () => {
    if (undo) undo();
    undo = undo ? undefined : mount(client, { open: true });
    button.ariaPressed = String(undo !== undefined);
  };
  return button;
}

function description(): string {
  return document.querySelector<HTMLMetaElement>("meta[name=description]")?.content ?? "";
}
