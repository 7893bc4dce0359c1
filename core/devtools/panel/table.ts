import { element, setText } from "./element.ts";

/** One column of a table. */
export interface Column<Row> {
  readonly title: string;
  text(row: Row): string;
  /** In px at the panel's full width. Columns shrink and grow in proportion. */
  readonly width?: number | undefined;
  /** Where it is shown beside the details of a selected row. Default: `always`. */
  readonly shown?: "always" | "wide" | "never" | undefined;
  readonly isNumber?: boolean | undefined;
  /** Whether its width never changes. */
  readonly isFixed?: boolean | undefined;
  /** How far a bar behind the text reaches, from 0 to 1. */
  share?(row: Row): number | undefined;
}

/** Options of {@link createTable}. */
export interface TableOptions<Row> {
  readonly label: string;
  readonly columns: readonly Column<Row>[];
  /** What an empty table says. */
  readonly empty: string;
  /** What a row keeps while its object changes. */
  key?(row: Row): unknown;
  /** A color of a row. */
  tone?(row: Row): "error" | "pending" | undefined;
  /** Whether the rows are events, the newest first. While a person scrolls, no row is added. */
  readonly isTimeline?: boolean | undefined;
}

/** A table that has elements only for the rows in view. */
export interface Table<Row> {
  readonly element: HTMLElement;
  /** Shows these rows that match the filter. To be called after each change, while the table is visible. */
  show(rows: readonly Row[], filter: string): void;
}

const rowHeight = 28;
let tables = 0;

interface RowElement {
  readonly element: HTMLElement;
  readonly cells: readonly HTMLElement[];
}

/** Creates an empty table. Arrow keys and clicks select a row, whose complete texts are shown below. */
export function createTable<Row extends object>(options: TableOptions<Row>): Table<Row> {
  const { label, empty, key = (row) => row, tone = () => undefined } = options;
  const columns = options.columns.filter(({ shown }) => shown !== "never");
  const id = `table-${++tables}`;
  const rowElements: RowElement[] = [];
  let rows: readonly Row[] = [];
  let lastFilter = "";
  let lastDetails = "";
  let selected: unknown;

  const space = element("div", { class: "space", role: "rowgroup" });
  const none = element("p", { class: "none" }, empty);
  const titles = columns.map((column) => createCell(column, "columnheader", column.title));
  const head = element("div", { role: "row", class: "head" }, ...titles);
  const grid = element(
    "div",
    { class: "grid", role: "grid", tabindex: "0", "aria-label": label, "aria-colcount": String(columns.length) },
    element("div", { role: "rowgroup", class: "titles" }, head),
    space,
  );
  const details = element("dl", { class: "details", tabindex: "0", "aria-label": "Selected row" });
  const root = element("div", { class: "table" }, grid, none, details);

  function createRow(): RowElement {
    const cells = columns.map((column) => createCell(column, "gridcell"));
    const created = { element: element("div", { role: "row", class: "row" }, ...cells), cells };
    space.append(created.element);
    return created;
  }

  function draw(): void {
    const first = Math.max(0, Math.floor(grid.scrollTop / rowHeight) - 2);
    const count = Math.min(rows.length - first, Math.ceil(grid.clientHeight / rowHeight) + 4);
    while (rowElements.length < count) rowElements.push(createRow());
    grid.setAttribute("aria-rowcount", String(rows.length + 1));
    space.style.height = `${rows.length * rowHeight}px`;
    none.hidden = rows.length > 0;
    grid.removeAttribute("aria-activedescendant");
    for (const [offset, shown] of rowElements.entries()) drawRow(shown, offset < count ? first + offset : -1);
    drawDetails();
  }

  function drawRow({ element: target, cells }: RowElement, index: number): void {
    const row = rows[index];
    target.hidden = row === undefined;
    target.id = row === undefined ? "" : `${id}-row-${index}`;
    if (row === undefined) return;
    const isSelected = key(row) === selected;
    target.style.transform = `translateY(${index * rowHeight}px)`;
    target.dataset["index"] = String(index);
    target.dataset["tone"] = tone(row) ?? "";
    target.setAttribute("aria-rowindex", String(index + 2));
    target.setAttribute("aria-selected", String(isSelected));
    if (isSelected) grid.setAttribute("aria-activedescendant", target.id);
    for (const [at, column] of columns.entries()) {
      const cell = cells[at]!;
      setText(cell, column.text(row));
      const share = column.share?.(row);
      cell.classList.toggle("bar", share !== undefined);
      if (share !== undefined) cell.style.setProperty("--share", `${Math.round(share * 100)}%`);
    }
  }

  function drawDetails(): void {
    const row = rows.find((candidate) => key(candidate) === selected);
    details.hidden = row === undefined;
    if (row === undefined) return;
    const shown = options.columns
      .map(({ title, text }) => [title, text(row)] as const)
      .filter(([, text]) => text !== "");
    const text = JSON.stringify(shown);
    if (text === lastDetails) return;
    lastDetails = text;
    details.replaceChildren(
      ...shown.map(([title, text]) =>
        element("div", { class: text.length > 40 ? "long" : "" }, element("dt", {}, title), element("dd", {}, text)),
      ),
    );
  }

  function select(index: number): void {
    const row = rows[Math.min(Math.max(index, 0), rows.length - 1)];
    selected = row && key(row);
    const top = rows.indexOf(row!) * rowHeight;
    const height = grid.clientHeight - 2 * rowHeight;
    if (row) grid.scrollTop = Math.min(Math.max(grid.scrollTop, top - height), top);
    draw();
  }

  grid.addEventListener("scroll", draw, { passive: true });
  space.addEventListener("click", ({ target }) => {
    const row = (target as Element).closest<HTMLElement>(".row");
    if (row) select(Number(row.dataset["index"]));
  });
  grid.addEventListener("keydown", (event) => {
    const index = rows.findIndex((row) => key(row) === selected);
    const next = { ArrowDown: index + 1, ArrowUp: index - 1, Home: 0, End: rows.length - 1 }[event.key];
    if (next === undefined || rows.length === 0) return;
    event.preventDefault();
    select(next);
  });

  return {
    element: root,
    show(all, filter) {
      const isHeld = options.isTimeline && grid.scrollTop > 0 && filter === lastFilter && all.length > 0;
      lastFilter = filter;
      if (!isHeld) rows = filter === "" ? all : all.filter((row) => matches(options.columns, row, filter));
      setText(none, all.length > 0 ? "No match." : empty);
      draw();
    },
  };
}

function matches<Row>(columns: readonly Column<Row>[], row: Row, filter: string): boolean {
  return columns.some(({ text }) => text(row).toLowerCase().includes(filter));
}

function createCell(column: Column<any>, role: string, text = ""): HTMLElement {
  const { width = 0, isFixed, isNumber, shown } = column;
  const cell = element("span", { role, class: `${isNumber ? "number" : ""} ${shown === "wide" ? "wide" : ""}` }, text);
  cell.style.flex = isFixed ? `0 0 ${width}px` : `${width} 1 0`;
  return cell;
}
