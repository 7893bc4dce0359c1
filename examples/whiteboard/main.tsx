import { createClient, definePresence } from "bonevalue";
import { BonevalueProvider, useOther, useOthers, usePresence } from "bonevalue/react";
import { createYjsProvider } from "bonevalue/yjs";
import { memo, type PointerEvent, useRef, useSyncExternalStore } from "react";
import { createRoot } from "react-dom/client";
import * as v from "valibot";
import * as Y from "yjs";
import { joinRoom, ownName } from "../shell/sign-in.ts";
import { addSeed, type Stroke } from "./seed.ts";

const width = 1_000;
const height = 640;

const Points = v.array(v.tuple([v.number(), v.number()]));
/** Where a person points, and the line that the person is drawing. */
const Pen = definePresence("Pen", v.object({ at: v.nullable(v.tuple([v.number(), v.number()])), line: Points }));

const client = createClient({ app: "whiteboard", remember: "tab" });
const doc = new Y.Doc();
const strokes = doc.getArray<Stroke>("strokes");
addSeed(doc);
let shown: readonly Stroke[] = strokes.toArray();
createYjsProvider(client, doc, { query: "*", name: "whiteboard" });

function useStrokes(): readonly Stroke[] {
  return useSyncExternalStore(followStrokes, () => shown);
}

function followStrokes(changed: () => void): () => void {
  const update = () => {
    shown = strokes.toArray();
    changed();
  };
  strokes.observe(update);
  return () => strokes.unobserve(update);
}

const Line = memo(({ who, points }: Stroke) => (
  <polyline className="stroke" data-who={who} points={points.join(" ")} />
));

const Pointer = memo(({ id }: { id: string }) => {
  const other = useOther(Pen, id);
  if (!other?.value.at) return null;
  const { peer, value } = other;
  return (
    <g className={other.stale ? "pointer stale" : "pointer"} data-who={peer.name}>
      <polyline className="stroke" points={value.line.join(" ")} />
      <g transform={`translate(${value.at})`}>
        <path d="M0 0 L24 9 L13 13 L8 24 Z" />
        <text x="20" y="36">
          {peer.name}
        </text>
      </g>
    </g>
  );
});

function Board() {
  const drawn = useStrokes();
  const [pen, setPen] = usePresence(Pen, { at: null, line: [] });
  const ids = useOthers(Pen, "*", (others) => others.map(({ peer }) => peer.id));
  const board = useRef<SVGSVGElement>(null);

  /** The pointer's position on the board. */
  function positionOf({ clientX, clientY }: PointerEvent): [number, number] {
    const box = board.current!.getBoundingClientRect();
    const scale = width / box.width;
    return [Math.round((clientX - box.x) * scale), Math.round((clientY - box.y) * scale)];
  }

  function begin(event: PointerEvent) {
    event.currentTarget.setPointerCapture(event.pointerId);
    const at = positionOf(event);
    setPen({ at, line: [at] });
  }

  function move(event: PointerEvent) {
    const at = positionOf(event);
    if (pen.line.length >= 500) {
      // A longer line does not fit in a presence value: continue with a new one.
      end();
      setPen({ at, line: [pen.line.at(-1)!, at] });
    } else setPen(({ line }) => ({ at, line: line.length > 0 ? [...line, at] : line }));
  }

  function end() {
    if (pen.line.length > 0) strokes.push([{ who: ownName(), points: pen.line }]);
    setPen({ ...pen, line: [] });
  }

  return (
    <>
      <svg
        ref={board}
        className="board"
        viewBox={`0 0 ${width} ${height}`}
        role="img"
        aria-label={`Whiteboard, ${drawn.length} lines`}
        onPointerDown={begin}
        onPointerMove={move}
        onPointerUp={end}
        onPointerLeave={() => setPen({ at: null, line: [] })}
      >
        {drawn.map((stroke, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: lines are only added at the end or all removed.
          <Line key={index} {...stroke} />
        ))}
        <polyline className="stroke" points={pen.line.join(" ")} />
        {ids.map((id) => (
          <Pointer key={id} id={id} />
        ))}
      </svg>
      <p className="tools">
        {drawn.length === 0 ? (
          <span className="soft">Draw with the mouse or a finger.</span>
        ) : (
          <button type="button" className="quiet" onClick={() => strokes.delete(0, strokes.length)}>
            Clear the board
          </button>
        )}
      </p>
    </>
  );
}

createRoot(document.querySelector("#app")!).render(
  <BonevalueProvider client={client}>
    <Board />
  </BonevalueProvider>,
);
await joinRoom(client);
