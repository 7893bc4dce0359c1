import { element, setText } from "./element.ts";
import type { View } from "./tab-view.ts";

/** The tabs of one client. */
export interface Tabs {
  readonly element: HTMLElement;
  /** Shows the rows that contain `filter`, which is in lower case. */
  draw(filter: string): void;
  /** To be called once a second. */
  measure(): void;
  /** Moves the focus to the selected tab. */
  focus(): void;
}

// Ids are unique in the shadow root, which may hold the tabs of several clients in turn.
let created = 0;

/** Creates tabs. The first is selected. https://www.w3.org/WAI/ARIA/apg/patterns/tabs/ */
export function createTabs(views: readonly View[], requestDraw: () => void): Tabs {
  const prefix = `tabs-${++created}`;
  const list = element("div", { role: "tablist", "aria-label": "Views" });
  const panel = element("div", { role: "tabpanel", id: `${prefix}-panel` });
  let selected = 0;

  const tabs = views.map(({ name }, index) => {
    const count = element("span", { class: "count" });
    const tab = element(
      "button",
      { type: "button", role: "tab", id: `${prefix}-${index}`, "aria-controls": panel.id },
      name,
      count,
    );
    tab.onclick = () => select(index);
    list.append(tab);
    return { tab, count };
  });

  function select(index: number): void {
    selected = index;
    for (const [at, { tab }] of tabs.entries()) {
      tab.setAttribute("aria-selected", String(at === index));
      tab.tabIndex = at === index ? 0 : -1;
    }
    panel.setAttribute("aria-labelledby", tabs[index]!.tab.id);
    panel.replaceChildren(views[index]!.element);
    views[index]!.measure?.();
    requestDraw();
  }

  list.addEventListener("keydown", (event) => {
    const last = tabs.length - 1;
    const next = {
      ArrowRight: selected === last ? 0 : selected + 1,
      ArrowLeft: selected === 0 ? last : selected - 1,
      Home: 0,
      End: last,
    }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    select(next);
    tabs[next]!.tab.focus();
  });
  select(0);

  return {
    element: element("div", { class: "tabs" }, list, panel),
    draw(filter) {
      for (const [index, { count }] of tabs.entries()) setText(count, String(views[index]!.count() || ""));
      views[selected]!.show(filter);
    },
    measure: () => views[selected]!.measure?.(),
    focus: () => tabs[selected]!.tab.focus(),
  };
}
