import { Kind, maxPresenceSize } from "./frames.ts";

/** The fields of one kind of frame. */
export interface FrameSchema {
  /** The types of its elements, the kind first. */
  readonly elements: readonly ElementType[];
  /** How many elements a frame has at least. */
  readonly minLength: number;
  /** The index of its value, or -1. Annotations may follow the last element of a frame with a value. */
  readonly valueAt: number;
  /** The most bytes of its value, beside the limit that the receiver's hello states. */
  readonly maxValue: number;
}

type ElementType = (element: unknown) => boolean;

const anything: ElementType = () => true;
// A function of its own, so that `schema` finds it.
const value: ElementType = () => true;
const count: ElementType = (element) => Number.isSafeInteger(element) && (element as number) >= 0;
const id: ElementType = (element) => count(element) && element !== 0;
const zero: ElementType = (element) => element === 0;
const step: ElementType = (element) => element === 0 || element === 1 || element === 2;
const presenceStep: ElementType = (element) => step(element) || element === 3;
const ms: ElementType = (element) => element === null || (Number.isFinite(element) && (element as number) >= 0);
const text: ElementType = (element) => typeof element === "string";
const bytes: ElementType = (element) => element instanceof Uint8Array;
const map: ElementType = (element) => typeof element === "object" && element !== null && !Array.isArray(element);

/** A frame of these fields. The last `optional` ones may be left out. */
function schema(optional: number, ...fields: readonly ElementType[]): FrameSchema {
  const elements = [anything, ...fields];
  const valueAt = elements.indexOf(value);
  return { elements, minLength: elements.length - optional, valueAt, maxValue: Number.POSITIVE_INFINITY };
}

/** The schema of each kind of frame, by its number. The link checks the limits of a hello. */
export const frameSchemas: Readonly<Record<number, FrameSchema>> = {
  [Kind.hello]: schema(0, anything, map),
  [Kind.call]: schema(0, id, text, value, ms),
  [Kind.answer]: schema(0, id, value),
  [Kind.fail]: schema(1, id, text, text, value),
  [Kind.cancel]: schema(0, id, text),
  [Kind.item]: schema(0, id, value),
  [Kind.end]: schema(2, id, text, text),
  [Kind.credit]: schema(0, id, count, count),
  [Kind.stop]: schema(0, id, text),
  [Kind.part]: schema(0, id, count, bytes),
  [Kind.close]: schema(1, step, text),
  [Kind.signal]: schema(0, zero, anything),
  [Kind.notify]: schema(0, zero, text, value),
  [Kind.ack]: schema(0, id),
  [Kind.refuse]: schema(0, id, text, text, text),
  [Kind.presence]: { ...schema(2, presenceStep, text, id, value), maxValue: maxPresenceSize },
} satisfies Record<(typeof Kind)[keyof typeof Kind], FrameSchema>;

/** Whether `frame`, without annotations, has the elements that the schema asks for. */
export function matches({ elements, minLength }: FrameSchema, frame: readonly unknown[]): boolean {
  return (
    frame.length >= minLength &&
    frame.length <= elements.length &&
    frame.every((element, index) => elements[index]!(element))
  );
}
