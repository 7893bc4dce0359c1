import { type Component, flushSync, hydrate, mount, unmount } from "svelte";
import { writable } from "svelte/store";
import type { Framework } from "../conformance/framework.ts";
import type { Pages } from "../conformance/pages.ts";
import caller from "./conformance/caller.svelte";
import identity from "./conformance/identity.svelte";
import keyedModule from "./conformance/keyed-module.svelte";
import module from "./conformance/module.svelte";
import otherRows from "./conformance/other-rows.svelte";
import others from "./conformance/others.svelte";
import own from "./conformance/own.svelte";
import presence from "./conformance/presence.svelte";
import root from "./conformance/root.svelte";
import rows from "./conformance/rows.svelte";
import streamReader from "./conformance/stream-reader.svelte";
import trust from "./conformance/trust.svelte";

/** The test pages as components. */
export const pages: { readonly [Name in keyof Pages]: Component<any> } = {
  presence,
  rows,
  caller,
  streamReader,
  module,
  keyedModule,
  others,
  otherRows,
  own,
  trust,
  identity,
};

/** The test pages in Svelte. */
export const svelte: Framework = {
  name: "Svelte",
  serverPage: "Svelte",
  mount(name, props, { client, host, hydrate: hydrating, resume }) {
    const shown = writable<object>(props);
    const begin = hydrating ? hydrate : mount;
    const app = begin(root, { target: host, props: { client, resume, page: pages[name], shown } });
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
