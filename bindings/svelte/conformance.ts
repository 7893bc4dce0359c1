import { type Component, flushSync, hydrate, mount, unmount } from "svelte";
import { writable } from "svelte/store";
import type { Framework } from "../conformance/framework.ts";
import type { Pages } from "../conformance/pages.ts";
import caller from "./conformance/caller.svelte";
import frame from "./conformance/frame.svelte";
import offer from "./conformance/offer.svelte";
import people from "./conformance/people.svelte";
import places from "./conformance/places.svelte";
import reader from "./conformance/reader.svelte";
import rows from "./conformance/rows.svelte";
import trust from "./conformance/trust.svelte";

/** Each page, as a component. */
export const pages: { readonly [Name in keyof Pages]: Component<any> } = {
  people,
  rows,
  caller,
  reader,
  offer,
  places,
  trust,
};

/** The pages in Svelte. */
export const svelte: Framework = {
  name: "Svelte",
  serverPage: "Svelte",
  mount(name, props, { client, host, hydrate: hydrating }) {
    const shown = writable<object>(props);
    const begin = hydrating ? hydrate : mount;
    const app = begin(frame, { target: host, props: { client, page: pages[name], shown } });
    flushSync();
    return {
      update(now) {
        shown.set(now);
        flushSync();
      },
      unmount: () => void unmount(app),
    };
  },
};
