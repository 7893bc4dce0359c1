import { element } from "./element.ts";

/** A source file of an example. */
interface SourceFile {
  readonly name: string;
  readonly text: string;
}

// As wide as the rule in style.css that puts the source beside the page.
const wide = "(min-width: 76rem)";

/** Shows the example's source beside the page, or below it on a narrow screen. */
export async function drawSource(): Promise<void> {
  const files: readonly SourceFile[] = await (await fetch("sources.json")).json();
  const title = element("h2", { textContent: "The code of this page" });
  const source = element("aside", { className: "source" }, title, ...files.map(drawFile));
  source.querySelector("details")!.open = matchMedia(wide).matches;
  document.body.append(source);
}

function drawFile({ name, text }: SourceFile): HTMLElement {
  const code = element("pre", { tabIndex: 0 }, element("code", { textContent: text }));
  // Of the elements with one name, only one is open.
  return element("details", { name: "source" }, element("summary", { textContent: name }), code);
}
