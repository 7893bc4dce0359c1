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
  const source = Object.assign(document.createElement("aside"), { className: "source" });
  source.append(
    Object.assign(document.createElement("h2"), { textContent: "The code of this page" }),
    ...files.map(drawFile),
  );
  source.querySelector("details")!.open = matchMedia(wide).matches;
  document.body.append(source);
}

function drawFile({ name, text }: SourceFile): HTMLElement {
  // Of the files with one name, only one is open.
  const file = Object.assign(document.createElement("details"), { name: "source" });
  const code = Object.assign(document.createElement("code"), { textContent: text });
  const frame = Object.assign(document.createElement("pre"), { tabIndex: 0 });
  frame.append(code);
  file.append(Object.assign(document.createElement("summary"), { textContent: name }), frame);
  return file;
}
