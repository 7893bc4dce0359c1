import type { LinkState, Peer, PeerId } from "bonevalue";
import { shape } from "./element.ts";
import { orbit } from "./orbit.ts";
import { shortId } from "./short-id.ts";
import type { Tones } from "./tones.ts";

/** The peers around us, as a picture. */
export interface Graph {
  add(peer: Peer): void;
  remove(peer: PeerId): void;
  link(peer: PeerId, status: LinkState["status"]): void;
  /** Shows something travel to a peer, or from it to us. */
  travel(peer: PeerId, direction: "out" | "in"): void;
  /** Marks those whom the next message is for. */
  aim(peers: ReadonlySet<PeerId>): void;
}

/** What a graph needs. `pick` is called for the peer that somebody clicks on. */
export interface GraphOptions {
  readonly tones: Tones;
  readonly self: string;
  pick(peer: PeerId): void;
}

interface Spoke {
  readonly peer: Peer;
  readonly group: SVGGElement;
  reach: number;
  /** What is still to be shown, one after the other. */
  journeys: Promise<unknown>;
  waiting: number;
}

// Room for a node beside, above and, with its label, below the outermost places.
const margin = { x: 58, above: 34, below: 72 };
// Wider than this the picture falls apart.
const widest = 1.75;
const journeyTime = 520;
// A burst is shown as a few journeys, not as a queue that runs on for minutes.
const mostWaiting = 6;

/** Draws into `svg`, which it empties first; follows its size until `signal` aborts. */
export function createGraph(svg: SVGSVGElement, options: GraphOptions, signal: AbortSignal): Graph {
  const spokes = new Map<PeerId, Spoke>();
  const rings = shape("g", { class: "rings" });
  const wires = shape("g", { class: "spokes" });
  svg.replaceChildren(rings, wires, drawSelf(options));

  function arrange(): void {
    const { width, height } = svg.getBoundingClientRect();
    if (width === 0) return;
    const y = (height - margin.above - margin.below) / 2;
    const extent = { x: Math.min(width / 2 - margin.x, y * widest), y };
    svg.setAttribute("viewBox", `${-width / 2} ${-y - margin.above} ${width} ${height}`);
    rings.replaceChildren(...[0.5, 1, 1.6, 2.3].map((size) => ring(extent.x * size, extent.y * size)));
    for (const [id, { angle, reach }] of orbit(byName(spokes), extent)) {
      const spoke = spokes.get(id)!;
      spoke.reach = reach;
      spoke.group.style.setProperty("--angle", `${angle}deg`);
      spoke.group.style.setProperty("--reach", String(reach));
    }
  }

  async function show(spoke: Spoke, direction: "out" | "in"): Promise<void> {
    const wire = spoke.group.querySelector(".wire");
    wire?.classList.add("lit");
    const dot = shape("circle", { class: `journey ${direction}`, r: "5" });
    spoke.group.append(dot);
    const places = [`translateX(30px)`, `translateX(${spoke.reach - 24}px)`];
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const frames = direction === "out" ? places : places.reverse();
    await dot.animate(
      { transform: still ? [frames[1]!, frames[1]!] : frames },
      { duration: journeyTime, easing: "ease-in-out" },
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
      spokes.set(peer.id, { peer, group, reach: 0, journeys: Promise.resolve(), waiting: 0 });
      wires.append(group);
      arrange();
    },
    remove(peer) {
      spokes.get(peer)?.group.remove();
      spokes.delete(peer);
      arrange();
    },
    link(peer, status) {
      spokes.get(peer)?.group.setAttribute("data-link", status);
    },
    travel(peer, direction) {
      const spoke = spokes.get(peer);
      if (!spoke || spoke.waiting >= mostWaiting) return;
      spoke.waiting++;
      spoke.journeys = spoke.journeys.then(() => show(spoke, direction)).finally(() => spoke.waiting--);
    },
    aim(peers) {
      for (const { peer, group } of spokes.values()) group.classList.toggle("aimed", peers.has(peer.id));
    },
  };
}

/** Ours first, then the others by name. */
function byName(spokes: ReadonlyMap<PeerId, Spoke>): readonly (readonly PeerId[])[] {
  const groups = Map.groupBy(spokes.values(), ({ peer }) => peer.name);
  const names = [...groups.keys()].sort((a, b) => Number(b === "Us") - Number(a === "Us") || a.localeCompare(b));
  return names.map((name) => groups.get(name)!.map(({ peer }) => peer.id));
}

function drawSelf({ self, tones }: GraphOptions): SVGGElement {
  return shape(
    "g",
    { class: "self", "data-tone": tones("Us") },
    shape("circle", { r: "28" }),
    shape("text", { class: "letter" }, self.slice(0, 1)),
    shape("text", { class: "name", y: "52" }, "you"),
  );
}

function drawSpoke(peer: Peer, { tones, self, pick }: GraphOptions): SVGGElement {
  const user = peer.name === "Us" ? self : peer.name;
  const node = shape(
    "g",
    { class: "node" },
    shape("circle", { class: "halo", r: "28" }),
    shape("circle", { r: "21" }),
    shape("text", { class: "letter" }, user.slice(0, 1)),
    shape("text", { class: "name", y: "43" }, peer.name),
    shape("text", { class: "id", y: "58" }, shortId(peer.id)),
  );
  node.addEventListener("click", () => pick(peer.id));
  return shape(
    "g",
    { class: "spoke", "data-tone": tones(peer.name), "data-link": "idle" },
    shape("line", { class: "wire", x2: "1" }),
    node,
  );
}

function ring(x: number, y: number): SVGEllipseElement {
  return shape("ellipse", { rx: String(x), ry: String(y) });
}
