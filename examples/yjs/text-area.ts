import type * as Y from "yjs";
import { editBetween, movedCaret } from "./edit.ts";

/** Binds `text` to a text area in both directions. Returns a function that unbinds it. */
export function bindTextArea(area: HTMLTextAreaElement, text: Y.Text): () => void {
  function typed(): void {
    const { at, removed, inserted } = editBetween(text.toString(), area.value, area.selectionEnd);
    text.doc!.transact(() => {
      text.delete(at, removed);
      text.insert(at, inserted);
    });
  }

  function changed({ transaction, delta }: Y.YTextEvent): void {
    if (transaction.local) return;
    const { selectionStart, selectionEnd } = area;
    area.value = text.toString();
    area.setSelectionRange(movedCaret(selectionStart, delta), movedCaret(selectionEnd, delta));
  }

  area.value = text.toString();
  area.addEventListener("input", typed);
  text.observe(changed);
  return () => {
    area.removeEventListener("input", typed);
    text.unobserve(changed);
  };
}
