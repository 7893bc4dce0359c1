import { Kind } from "./frames.ts";

/** What a frame of one kind consists of after its kind. */
export interface FrameSchema {
  readonly fields: readonly Field[];
  /** How many of the fields must be there. */
  readonly required: number;
  /** Where in the frame its value stands, counted from the kind, if it has one: annotations may then follow its fields. */
  readonly value?: number;
}

type Field = (element: unknown) => boolean;

const text: Field = (element) => typeof element === "string";
const bytes: Field = (element) => element instanceof Uint8Array;
const anything: Field = () => true;
const map: Field = (element) => typeof element === "object" && element !== null && !Array.isArray(element);
const count: Field = (element) => Number.isSafeInteger(element) && (element as number) >= 0;
const id: Field = (element) => count(element) && element !== 0;
const zero: Field = (element) => element === 0;
const step: Field = (element) => element === 0 || element === 1 || element === 2;
const remaining: Field = (element) => element === null || (Number.isFinite(element) && (element as number) >= 0);

/** The shape of each kind of frame, by its number. A hello's limits are for the link to judge. */
export const frameSchemas: Readonly<Record<number, FrameSchema>> = {
  [Kind.hello]: { fields: [anything, map], required: 2 },
  [Kind.call]: { fields: [id, text, anything, remaining], required: 4, value: 3 },
  [Kind.answer]: { fields: [id, anything], required: 2, value: 2 },
  [Kind.fail]: { fields: [id, text, text, anything], required: 3, value: 4 },
  [Kind.cancel]: { fields: [id, text], required: 2 },
  [Kind.item]: { fields: [id, anything], required: 2, value: 2 },
  [Kind.end]: { fields: [id, text, text], required: 1 },
  [Kind.credit]: { fields: [id, count, count], required: 3 },
  [Kind.stop]: { fields: [id, text], required: 2 },
  [Kind.part]: { fields: [id, count, bytes], required: 3 },
  [Kind.close]: { fields: [step, text], required: 1 },
  [Kind.signal]: { fields: [zero, anything], required: 2 },
  [Kind.notify]: { fields: [zero, text, anything], required: 3, value: 3 },
} satisfies Record<(typeof Kind)[keyof typeof Kind], FrameSchema>;

/** Whether `frame`, its kind first and any annotations taken off, has the fields that `shape` asks for. */
export function matches(shape: FrameSchema, frame: readonly unknown[]): boolean {
  const length = frame.length - 1;
  if (length < shape.required || length > shape.fields.length) return false;
  return frame.every((element, index) => index === 0 || shape.fields[index - 1]?.(element));
}
