import type { Peer } from "../peer.ts";
import { createLiveList, type Live, touch } from "../reactive.ts";
import { keyOf, type Query, wordsOf } from "./query.ts";

type PeerList = Live<readonly Peer[]>;

/** The live lists of queries, found by the words that can change them: aliases, peer ids, `"*"`. */
export interface ListIndex {
  /** The list of `query`: equal queries share one while somebody holds it or listens to it. */
  get(query: Query): PeerList;
  /** Touches every list that one of `words` can change. */
  touch(words: readonly string[]): void;
}

/** A {@link ListIndex} over `build`. It keeps no list that nobody else holds. */
export function createListIndex(build: (query: Query) => readonly Peer[]): ListIndex {
  const lists = new Map<string, WeakRef<PeerList>>();
  const byWord = new Map<string, Set<WeakRef<PeerList>>>();
  const listened = new Set<PeerList>();

  const forget = new FinalizationRegistry<{ query: Query; ref: WeakRef<PeerList> }>(({ query, ref }) => {
    if (lists.get(keyOf(query)) === ref) lists.delete(keyOf(query));
    for (const word of wordsOf(query)) {
      const refs = byWord.get(word);
      refs?.delete(ref);
      if (refs?.size === 0) byWord.delete(word);
    }
  });

  function add(query: Query): PeerList {
    const list: PeerList = createLiveList(
      () => build(query),
      (watched) => {
        if (watched) listened.add(list);
        else listened.delete(list);
      },
    );
    const ref = new WeakRef(list);
    lists.set(keyOf(query), ref);
    for (const word of wordsOf(query)) byWord.set(word, (byWord.get(word) ?? new Set()).add(ref));
    forget.register(list, { query, ref });
    return list;
  }

  return {
    get: (query) => lists.get(keyOf(query))?.deref() ?? add(query),
    touch(words) {
      const touched = new Set(words.flatMap((word) => [...(byWord.get(word) ?? [])]));
      for (const ref of touched) {
        const list = ref.deref();
        if (list) touch(list);
      }
    },
  };
}
