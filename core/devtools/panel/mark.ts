const shapes: readonly (readonly [name: string, attributes: Readonly<Record<string, number>>])[] = [
  ["circle", { cx: 5, cy: 5, r: 4 }],
  ["circle", { cx: 5, cy: 11, r: 4 }],
  ["circle", { cx: 29, cy: 5, r: 4 }],
  ["circle", { cx: 29, cy: 11, r: 4 }],
  ["rect", { x: 5, y: 5.5, width: 24, height: 5 }],
];

/** Draws the mark of the project. Without markup, which a page with Trusted Types does not accept. */
export function drawMark(): SVGElement {
  const mark = svg("svg", { viewBox: "0 0 34 16", width: 26, height: 12, "aria-hidden": "true" });
  mark.append(...shapes.map(([name, attributes]) => svg(name, attributes)));
  return mark;
}

function svg(name: string, attributes: Readonly<Record<string, string | number>>): SVGElement {
  const created = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [attribute, value] of Object.entries(attributes)) created.setAttribute(attribute, String(value));
  return created;
}
