/**
 * The style of the panel. It is adopted as a constructed sheet, which a Content-Security-Policy allows without
 * `unsafe-inline`.
 */
export const style = `
:host {
  all: initial;
  color-scheme: light dark;
  --paper: light-dark(#ffffff, #14191b);
  --raised: light-dark(#f4f6f6, #1c2325);
  --hover: light-dark(#eaf1ef, #232c2e);
  --ink: light-dark(#14201e, #e6edeb);
  --soft: light-dark(#55635f, #9aaaa5);
  --line: light-dark(#dce3e1, #2c3638);
  --edge: light-dark(#84928e, #66757a);
  --tone: light-dark(#0b7468, #4fd6c0);
  --wash: light-dark(#d8efea, #17403a);
  --bad: light-dark(#b3261e, #ff8a80);
  --wait: light-dark(#8a5a00, #f0bd5c);
  position: fixed;
  inset: auto 0 0 auto;
  z-index: 2147483647;
  font: 400 12px / 1.4 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
  font-variant-numeric: tabular-nums;
  color: var(--ink);
}
:host([hidden]), [hidden] { display: none !important; }
@media print { :host { display: none; } }
*, *::before, *::after { box-sizing: border-box; }
button, input, select { font: inherit; color: inherit; }
button { cursor: pointer; }
:focus-visible { outline: 2px solid var(--tone); outline-offset: -2px; }
p, dl, dd { margin: 0; }
svg { display: block; fill: currentColor; }

.toggle {
  position: absolute;
  inset: auto 12px 12px auto;
  display: flex;
  align-items: center;
  gap: 7px;
  height: 32px;
  padding: 0 11px;
  border: 1px solid var(--line);
  border-radius: 16px;
  background: var(--paper);
  box-shadow: 0 1px 2px #0002, 0 4px 14px #0002;
  font-weight: 550;
}
.toggle:hover { background: var(--hover); }
.toggle:focus-visible { outline-offset: 2px; }
.toggle svg, .title svg { color: var(--tone); }
.dot { width: 8px; height: 8px; border: 2px solid var(--edge); border-radius: 50%; }
:host([data-status="online"]) .dot { border-color: var(--tone); background: var(--tone); }
:host([data-status="connecting"]) .dot, :host([data-status="reconnecting"]) .dot { border-color: var(--wait); }

.panel {
  position: absolute;
  inset: auto 12px 12px auto;
  display: flex;
  flex-direction: column;
  width: min(800px, 100vw - 24px);
  height: min(420px, 70vh);
  overflow: hidden;
  border: 1px solid var(--line);
  border-radius: 12px;
  background: var(--paper);
  box-shadow: 0 2px 6px #0002, 0 16px 48px #0004;
  container-type: inline-size;
}

.bar-top {
  display: flex;
  align-items: center;
  gap: 4px;
  padding: 8px 8px 8px 14px;
}
.title { display: flex; align-items: center; gap: 8px; margin: 0 auto 0 0; font-size: 13px; font-weight: 650; }
.bar-top input { flex: 0 1 170px; margin-right: 4px; }
.bar-top button {
  height: 26px;
  padding: 0 9px;
  border: 1px solid transparent;
  border-radius: 6px;
  background: none;
  color: var(--soft);
}
.bar-top button:hover { background: var(--hover); color: var(--ink); }
.bar-top button[aria-pressed="true"] { background: var(--wash); color: var(--ink); }
.bar-top .close { padding: 0 7px; }
select, input {
  height: 26px;
  min-width: 0;
  border: 1px solid var(--line);
  border-radius: 6px;
  background: var(--paper);
  padding: 0 8px;
}
select { max-width: 160px; padding: 0 4px; }
::placeholder { color: var(--soft); opacity: 1; }

[role="tablist"] {
  display: flex;
  flex: none;
  padding: 0 8px;
  overflow-x: auto;
  scrollbar-width: none;
  border-bottom: 1px solid var(--line);
}
[role="tab"] {
  flex: none;
  display: flex;
  gap: 5px;
  padding: 7px 8px 8px;
  border: 0;
  border-bottom: 2px solid transparent;
  margin-bottom: -1px;
  background: none;
  color: var(--soft);
}
[role="tab"]:hover { color: var(--ink); }
[role="tab"][aria-selected="true"] { border-color: var(--tone); color: var(--ink); font-weight: 600; }
.count { color: var(--soft); font-weight: 400; }

.content, .tabs { display: flex; flex: 1; flex-direction: column; min-height: 0; }
[role="tabpanel"] { flex: 1; min-height: 0; display: flex; flex-direction: column; }
.overview { display: flex; flex: 1; flex-direction: column; min-height: 0; }
.facts {
  display: grid;
  grid-template-columns: repeat(auto-fill, minmax(130px, 1fr));
  gap: 8px 14px;
  padding: 12px 14px;
  border-bottom: 1px solid var(--line);
  background: var(--raised);
}
dt { color: var(--soft); font-size: 11px; }
dd { overflow-wrap: anywhere; }

.table { position: relative; display: flex; flex: 1; flex-direction: column; min-height: 0; }
.grid { flex: 1; min-height: 0; overflow: auto; overscroll-behavior: contain; }
.space { position: relative; overflow: hidden; }
.head, .row { display: flex; gap: 10px; align-items: center; height: 28px; padding: 0 14px; }
.head { color: var(--soft); font-size: 11px; }
.titles { position: sticky; top: 0; z-index: 1; background: var(--paper); border-bottom: 1px solid var(--line); }
.row { position: absolute; inset: 0 0 auto; contain: strict; border-bottom: 1px solid color-mix(in srgb, var(--line) 55%, transparent); }
.row:hover { background: var(--hover); }
.row[aria-selected="true"] { background: var(--wash); }
.row[data-tone="error"] { color: var(--bad); }
.row[data-tone="pending"] { color: var(--wait); }
.head > span, .row > span { flex: 1 1 0; min-width: 0; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.number { text-align: right; }
.bar {
  --part: color-mix(in srgb, var(--tone) 26%, transparent);
  --rest: color-mix(in srgb, var(--tone) 7%, transparent);
  text-indent: 5px;
  border-radius: 4px;
  background: linear-gradient(to right, var(--part) var(--share), var(--rest) var(--share));
}
.none { position: absolute; inset: 29px 0 auto; padding: 22px 14px; color: var(--soft); text-align: center; }
.details {
  display: grid;
  grid-template-columns: repeat(auto-fill, minmax(150px, 1fr));
  gap: 8px 14px;
  max-height: 45%;
  overflow: auto;
  padding: 10px 14px;
  border-top: 1px solid var(--line);
  background: var(--raised);
}
.long { grid-column: 1 / -1; }

@container (max-width: 560px) {
  .wide { display: none; }
  .facts { grid-template-columns: repeat(auto-fill, minmax(105px, 1fr)); gap: 6px 12px; padding: 10px 14px; }
  .title span { position: absolute; clip-path: inset(50%); }
  .bar-top input { flex: 1; }
  [role="tab"] { padding: 7px 6px 8px; }
  .head, .row { gap: 8px; padding: 0 10px; }
}
@media (max-width: 560px) {
  .panel { inset: auto 0 0 auto; width: 100vw; height: min(480px, 72vh); border-width: 1px 0 0; border-radius: 14px 14px 0 0; }
  select, input, .bar-top button { height: 32px; }
}
@media (prefers-reduced-motion: no-preference) {
  .toggle, .bar-top button, [role="tab"] { transition: background-color 0.12s, color 0.12s; }
}
`;
