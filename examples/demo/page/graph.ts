import type { LinkState, Peer, PeerId } from "bonevalue";
import type { ColorOf } from "./colors.ts";
import { createShape } from "./element.ts";
import { layOut } from "./layout.ts";
import { shortId } from "./short-id.ts";

/** A graph of the online peers around the own peer. */
export interface Graph {
  add(peer: Peer): void;
  remove(peer: PeerId): void;
  setLink(peer: PeerId, status: LinkState["status"]): void;
  /** Animates a message to or from a peer. */
  animateMessage(peer: PeerId, direction: "out" | "in"): void;
  /** Highlights the recipients of the next message. */
  highlight(peers: ReadonlySet<PeerId>): void;
}

/** Options of {@link createGraph}. `pick` is called with a clicked peer. */
export interface GraphOptions {
  readonly colors: ColorOf;
  readonly self: string;
  pick(peer: PeerId): void;
}

interface Spoke {
  readonly peer: Peer;
  readonly group: SVGGElement;
  reach: number;
  /** Resolves after the queued animations, which run one after the other. */
  animations: Promise<unknown>;
  queued: number;
}

// Space for a node beside, above and, with its label, below the outermost positions.
const margin = { x: 58, above: 34, below: 72 };
const maxAspectRatio = 1.75;
const animationMs = 520;
// Drops further animations of a burst, which would take minutes.
const maxQueued = 6;

/** Replaces the content of `svg`, and follows its size until `signal` aborts. */
export function createGraph(svg: SVGSVGElement, options: GraphOptions, signal: AbortSignal): Graph {
  const spokes = new Map<PeerId, Spoke>();
  const rings = createShape("g", { class: "rings" });
  const wires = createShape("g", { class: "spokes" });
  svg.replaceChildren(rings, wires, drawSelf(options));

  function arrange(): void {
    const { width, height } = svg.getBoundingClientRect();
    if (width === 0) return;
    const y = (height - margin.above - margin.below) / 2;
    const extent = { x: Math.min(width / 2 - margin.x, y * maxAspectRatio), y };
    svg.setAttribute("viewBox", `${-width / 2} ${-y - margin.above} ${width} ${height}`);
    rings.replaceChildren(...[0.5, 1, 1.6, 2.3].map((size) => ring(extent.x * size, extent.y * size)));
    for (const [id, { angle, reach }] of layOut(byName(spokes), extent)) {
      const spoke = spokes.get(id)!;
      spoke.reach = reach;
      spoke.group.style.setProperty("--angle", `${angle}deg`);
      spoke.group.style.setProperty("--reach", String(reach));
    }
  }

  async function show(spoke: Spoke, direction: "out" | "in"): Promise<void> {
    const wire = spoke.group.querySelector(".wire");
    wire?.classList.add("lit");
    const dot = createShape("circle", { class: `journey ${direction}`, r: "5" });
    spoke.group.append(dot);
    const places = [`translateX(30px)`, `translateX(${spoke.reach - 24}px)`];
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const frames = direction === "out" ? places : places.reverse();
    await dot.animate(
      { transform: still ? [frames[1]!, frames[1]!] : frames },
      { duration: animationMs, easing: "ease-in-out" },
    ).finished;
    dot.remove();
    wire?.classList.remove("lit");
  }

  const size = new ResizeObserver(arrange);
  size.observe(svg);
  signal.addEventListener("abort", () => size.disconnect());

  return {
    add(peer) {
      const group = drawSpoke(peer, options);
      spokes.set(peer.id, { peer, group, reach: 0, animations: Promise.resolve(), queued: 0 });
      wires.append(group);
      arrange();
    },
    remove(peer) {
      spokes.get(peer)?.group.remove();
      spokes.delete(peer);
      arrange();
    },
    setLink(peer, status) {
      spokes.get(peer)?.group.setAttribute("data-link", status);
    },
    animateMessage(peer, direction) {
      const spoke = spokes.get(peer);
      if (!spoke || spoke.queued >= maxQueued) return;
      spoke.queued++;
      spoke.animations = spoke.animations.then(() => show(spoke, direction)).finally(() => spoke.queued--);
    },
    highlight(peers) {
      for (const { peer, group } of spokes.values()) group.classList.toggle("aimed", peers.has(peer.id));
    },
  };
}

/** Peer ids grouped by user: the own account first, the others by name. */
function byName(spokes: ReadonlyMap<PeerId, Spoke>): readonly (readonly PeerId[])[] {
  const groups = Map.groupBy(spokes.values(), ({ peer }) => peer.name);
  const names = [...groups.keys()].sort((a, b) => Number(b === "Us") - Number(a === "Us") || a.localeCompare(b));
  return names.map((name) => groups.get(name)!.map(({ peer }) => peer.id));
}

function drawSelf({ self, colors }: GraphOptions): SVGGElement {
  return createShape(
    "g",
    { class: "self", "data-tone": colors("Us") },
    createShape("circle", { r: "28" }),
    createShape("text", { class: "letter" }, self.slice(0, 1)),
    createShape("text", { class: "name", y: "52" }, "you"),
  );
}

function drawSpoke(peer: Peer, { colors, self, pick }: GraphOptions): SVGGElement {
  const user = peer.name === "Us" ? self : peer.name;
  const node = createShape(
    "g",
    { class: "node" },
    createShape("circle", { class: "halo", r: "28" }),
    createShape("circle", { r: "21" }),
    createShape("text", { class: "letter" }, user.slice(0, 1)),
    createShape("text", { class: "name", y: "43" }, peer.name),
    createShape("text", { class: "id", y: "58" }, shortId(peer.id)),
  );
  node.addEventListener("click", () => pick(peer.id));
  return createShape(
    "g",
    { class: "spoke", "data-tone": colors(peer.name), "data-link": "idle" },
    createShape("line", { class: "wire", x2: "1" }),
    node,
  );
}

function ring(x: number, y: number): SVGEllipseElement {
  return createShape("ellipse", { rx: String(x), ry: String(y) });
}
