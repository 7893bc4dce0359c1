import { clearLog } from "../client-log.ts";
import { exportLog } from "../export-log.ts";
import type { Redact } from "../preview.ts";
import { element, setText } from "./element.ts";
import { drawMark } from "./mark.ts";
import { overviewView } from "./overview.ts";
import { createSchedule } from "./schedule.ts";
import { style } from "./style.ts";
import type { Source } from "./tab-view.ts";
import { createTabs, type Tabs } from "./tabs.ts";
import { callsView, eventsView, linksView, presenceView, streamsView } from "./timelines.ts";

/** The panel of a page. It shows one client at a time. */
export interface Panel {
  /** Adds a client, which is shown if it is the first. Returns its undo, which also removes the panel after the last. */
  add(source: Source, redact: Redact | undefined): () => void;
  open(): void;
}

interface Shown {
  readonly source: Source;
  readonly tabs: Tabs;
}

/** Creates a closed panel without clients, and adds it to the page. `onEmpty` is called when it has removed itself. */
export function createPanel(onEmpty: () => void): Panel {
  const clients: Shown[] = [];
  let current: Shown | undefined;
  let isPaused = false;
  // A person has selected something, which is shown although the display is paused.
  let isSelected = false;

  const host = element("bonevalue-inspector" as "div");
  const root = host.attachShadow({ mode: "open" });
  const toggle = element("button", {
    class: "toggle",
    type: "button",
    "aria-expanded": "false",
    "aria-controls": "panel",
  });
  toggle.append(drawMark(), element("span", { class: "dot" }), "Inspector");
  const title = element("h2", { class: "title", id: "title" });
  title.append(drawMark(), element("span", {}, "Inspector"));
  const picker = element("select", { "aria-label": "Client" });
  const filter = element("input", { type: "search", placeholder: "Filter", "aria-label": "Filter rows" });
  const pause = button("Pause", { "aria-pressed": "false" });
  const clear = button("Clear");
  const save = button("Save", { "aria-label": "Save the log" });
  const close = button("✕", { class: "close", "aria-label": "Close the inspector" });
  const content = element("div", { class: "content" });
  const panel = element(
    "section",
    { class: "panel", id: "panel", "aria-labelledby": "title", hidden: "" },
    element("div", { class: "bar-top" }, title, picker, filter, pause, clear, save, close),
    content,
  );
  root.append(toggle, panel);
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(style);
  root.adoptedStyleSheets = [sheet];
  (document.body ?? document.documentElement).append(host);

  const schedule = createSchedule(draw, () => current?.tabs.measure());

  function drawHost(): void {
    // A page may switch between schemes; without a scheme of its own, the system's counts.
    const { colorScheme } = getComputedStyle(document.documentElement);
    host.style.colorScheme = colorScheme === "normal" ? "" : colorScheme;
    host.dataset["status"] = current?.source.client.status.peek() ?? "";
  }

  function draw(): void {
    drawHost();
    if (!current) return;
    picker.hidden = clients.length < 2;
    for (const [index, { source }] of clients.entries()) setText(picker.options[index]!, labelOf(source, index));
    if (!isPaused || isSelected) current.tabs.draw(filter.value.trim().toLowerCase());
    isSelected = false;
  }

  function onSelected(): void {
    isSelected = true;
    schedule.request();
  }

  function show(shown: Shown | undefined): void {
    current = shown;
    content.replaceChildren(...(shown ? [shown.tabs.element] : []));
    if (shown) picker.selectedIndex = clients.indexOf(shown);
    drawHost();
    onSelected();
  }

  /** `movesFocus`: a person has opened or closed the panel, so the focus follows. */
  function setOpen(isOpen: boolean, movesFocus = true): void {
    panel.hidden = !isOpen;
    toggle.hidden = isOpen;
    toggle.setAttribute("aria-expanded", String(isOpen));
    schedule.setActive(isOpen);
    if (!movesFocus) return;
    if (isOpen) current?.tabs.focus();
    else toggle.focus();
  }

  toggle.onclick = () => setOpen(true);
  close.onclick = () => setOpen(false);
  picker.onchange = () => show(clients[picker.selectedIndex]);
  filter.oninput = onSelected;
  pause.onclick = () => {
    isPaused = !isPaused;
    pause.setAttribute("aria-pressed", String(isPaused));
    schedule.request();
  };
  clear.onclick = () => current?.source.log && clearLog(current.source.log);
  save.onclick = () => current && saveFile(exportLog(current.source.client));
  panel.addEventListener("keydown", ({ key, target }) => {
    if (key === "Escape" && (target as Element).tagName !== "INPUT") setOpen(false);
  });
  // The page's own shortcuts and handlers do not see what happens inside of the panel.
  for (const type of ["keydown", "keyup", "keypress", "pointerdown", "click"]) {
    host.addEventListener(type, (event) => event.stopPropagation());
  }

  return {
    open: () => setOpen(true, false),
    add(source, redact) {
      const views = [
        overviewView(source, redact),
        ...[linksView, callsView, streamsView, presenceView, eventsView].map((create) => create(source)),
      ];
      const shown: Shown = { source, tabs: createTabs(views, onSelected) };
      clients.push(shown);
      picker.append(element("option"));
      const undos = [
        source.client.status.subscribe(() => {
          drawHost();
          schedule.request();
        }),
        source.client.peers.subscribe(schedule.request),
      ];
      source.log?.listeners.add(schedule.request);
      if (!current) show(shown);
      return () => {
        for (const undo of undos.splice(0)) undo();
        source.log?.listeners.delete(schedule.request);
        const index = clients.indexOf(shown);
        if (index < 0) return;
        clients.splice(index, 1);
        picker.options[index]!.remove();
        if (current === shown) show(clients[0]);
        if (clients.length > 0) return;
        schedule.setActive(false);
        host.remove();
        onEmpty();
      };
    },
  };
}

function button(text: string, attributes: Readonly<Record<string, string>> = {}): HTMLButtonElement {
  return element("button", { type: "button", ...attributes }, text);
}

function labelOf({ client }: Source, index: number): string {
  const { username = `Client ${index + 1}`, id } = client.self.peek() ?? {};
  return id === undefined ? username : `${username} (${id.slice(0, 6)})`;
}

function saveFile(json: string): void {
  const url = URL.createObjectURL(new Blob([json], { type: "application/json" }));
  element("a", { href: url, download: "bonevalue-log.json" }).click();
  // The browser reads it after the click.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
