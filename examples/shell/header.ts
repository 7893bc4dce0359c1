import type { Client, Status } from "bonevalue";

const mark = `<svg viewBox="0 0 34 16" width="34" height="16" aria-hidden="true"><circle cx="5" cy="5" r="4"/><circle cx="5"
  cy="11" r="4"/><circle cx="29" cy="5" r="4"/><circle cx="29" cy="11" r="4"/><rect x="5" y="5.5" width="24" height="5"/></svg>`;

/** The name of this page’s user, and of the page that it links to. */
export interface AccountPair {
  readonly me: string;
  readonly other: string;
}

/**
 * Adds a header to an example: the title and description, who is signed in, and, while no other peer is online, an
 * invitation to open a second tab. Returns a function that shows an error.
 */
export function drawHeader({ status, peers }: Client, { me, other }: AccountPair): (problem: string) => void {
  document.body.dataset["who"] = me;
  const who = element("span", { className: "me" });
  const problem = element("p", { className: "problem", role: "alert" });
  const home = element("a", { className: "mark", href: "/", innerHTML: `${mark}bonevalue` });
  const otherPage = element("a", {
    href: `?as=${other}${location.hash}`,
    target: "_blank",
    textContent: `Open a second tab, as ${other}`,
  });
  const alone = element(
    "p",
    { className: "alone", hidden: true },
    document.createTextNode("Nobody else is here. "),
    otherPage,
  );
  const nav = element("nav", {}, home, who);
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

function description(): string {
  return document.querySelector<HTMLMetaElement>("meta[name=description]")?.content ?? "";
}

function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  properties: Partial<HTMLElementTagNameMap[Tag]>,
  ...children: readonly Node[]
): HTMLElementTagNameMap[Tag] {
  const created = Object.assign(document.createElement(tag), properties);
  created.append(...children);
  return created;
}
