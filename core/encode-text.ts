import { requireGlobal } from "./missing-feature.ts";

// Created by the first use, so that the library can be imported where there is none.
let encoder: TextEncoder | undefined;

/** Encodes `text` as UTF-8. */
export function encodeText(text: string): Uint8Array<ArrayBuffer> {
  encoder ??= new (requireGlobal("TextEncoder", "fast-text-encoding"))();
  return encoder.encode(text);
}
