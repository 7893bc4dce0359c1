/** Returns the text of a decoded value. */
export type Preview = (value: unknown) => string;

/** Returns what is shown for the value of a key, like the `replacer` of `JSON.stringify`. */
export type Redact = (key: string, value: unknown) => unknown;

const secretKey =
  /pass|pwd|secret|token|api.?key|private.?key|auth(?!or(?!i[sz]))|credential|cookie|session|signature|\botp\b|\bpin\b/i;

const maxText = 400;
const maxString = 120;
const maxItems = 20;
const maxDepth = 5;
const masked = "•••";

/** A container in parts: its brackets, and its items with their keys. */
interface Group {
  readonly begin: string;
  readonly end: string;
  readonly items: Iterable<readonly [key: string, value: unknown]>;
  readonly hasKeys: boolean;
}

/**
 * Creates a function that returns a short text of any value that a peer can send. It reads a bounded part of the value, and
 * masks the values of keys that look like secrets. The key of a whole value is `""`, and that of an item its index.
 */
export function createPreview(redact: Redact = (_key, value) => value): Preview {
  return (value) => {
    let text = "";

    function write(key: string, given: unknown, depth: number): void {
      const shown = secretKey.test(key) ? masked : redact(key, given);
      const group = shown === masked ? undefined : groupOf(shown);
      if (group === undefined) text += shown === masked ? masked : scalarText(shown);
      else if (depth === maxDepth) text += "…";
      else writeGroup(group, depth + 1);
    }

    function writeGroup({ begin, end, items, hasKeys }: Group, depth: number): void {
      let count = 0;
      text += begin;
      for (const [key, item] of items) {
        if (count > 0) text += ", ";
        if (count++ === maxItems || text.length > maxText) {
          text += "…";
          break;
        }
        if (hasKeys) text += `${shorten(key)}: `;
        write(key, item, depth);
      }
      text += end;
    }

    try {
      write("", value, 0);
    } catch {
      // `redact` is code of the app, and what it returns can be anything.
      return masked;
    }
    return text.length > maxText ? `${text.slice(0, maxText)}…` : text;
  };
}

function scalarText(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(shorten(value));
  if (typeof value === "bigint") return `${value}n`;
  // Stands for a stream or a blob.
  if (typeof value === "symbol") return `<${value.description}>`;
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? "invalid date" : value.toISOString();
  if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) return `${value.byteLength} bytes`;
  return String(value);
}

function groupOf(value: unknown): Group | undefined {
  if (typeof value !== "object" || value === null || value instanceof Date) return undefined;
  if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) return undefined;
  if (Array.isArray(value)) return { begin: "[", end: "]", items: itemsOf(value), hasKeys: false };
  if (value instanceof Set) return { begin: "Set [", end: "]", items: itemsOf(value), hasKeys: false };
  if (value instanceof Map) return { begin: "Map {", end: "}", items: pairsOf(value), hasKeys: true };
  return { begin: "{", end: "}", items: fieldsOf(value), hasKeys: true };
}

/** Returns the beginning of a text. Names and codes of peers can be as long as a message. */
export function shorten(text: string): string {
  return text.length > maxString ? `${text.slice(0, maxString)}…` : text;
}

function* itemsOf(items: Iterable<unknown>): Generator<readonly [string, unknown]> {
  let index = 0;
  for (const item of items) yield [String(index++), item];
}

function* pairsOf(map: ReadonlyMap<unknown, unknown>): Generator<readonly [string, unknown]> {
  for (const [key, item] of map) yield [typeof key === "object" ? "…" : String(key), item];
}

function* fieldsOf(value: object): Generator<readonly [string, unknown]> {
  // Unlike `Object.entries`, this copies nothing of a large value.
  for (const key in value) if (Object.hasOwn(value, key)) yield [key, (value as Record<string, unknown>)[key]];
}
