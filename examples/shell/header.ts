import type { Client, Status } from "bonevalue";

const mark = `<svg viewBox="0 0 34 16" width="34" height="16" aria-hidden="true"><circle cx="5" cy="5" r="4"/><circle cx="5"
  cy="11" r="4"/><circle cx="29" cy="5" r="4"/><circle cx="29" cy="11" r="4"/><rect x="5" y="5.5" width="24" height="5"/></svg>`;

/** Who signs in on this page, and who would on the page beside it. */
export interface Pair {
  readonly me: string;
  readonly other: string;
}

/**
 * Puts the page's title, what it shows, who is signed in and a link to the other account's page above an example. Returns
 * where to say what went wrong.
 */
export function drawHeader({ status }: Client, { me, other }: Pair): (problem: string) => void {
  document.body.dataset["who"] = me;
  const who = element("span", { className: "me" });
  const problem = element("p", { className: "problem", role: "alert" });
  const home = element("a", { className: "mark", href: "/", innerHTML: `${mark}bonevalue` });
  const aside = element("a", { href: `?as=${other}`, target: "_blank", textContent: `Open ${other}’s page` });
  const nav = element("nav", {}, home, who, aside);
  const title = element("h1", { textContent: document.title.replace(" · bonevalue", "") });
  const idea = element("p", { textContent: description() });
  document.body.prepend(element("header", { className: "shell" }, nav, title, idea, problem));

  status.subscribe((now: Status) => {
    who.dataset["status"] = now;
    who.textContent = `${me}, ${now}`;
  });
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
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}
