import type { LazyPart } from "../lazy-part.ts";

/** A lazy part that needs no loading. */
export function alreadyLoaded<Part>(loaded: Part): LazyPart<Part> {
  return { loaded, load: () => Promise.resolve(loaded) };
}
