import { render } from "svelte/server";
import { readable } from "svelte/store";
import { createNetwork } from "../../core/testing/network.ts";
import frame from "./conformance/frame.svelte";
import people from "./conformance/people.svelte";

/** The people page as a server renders it. */
export async function renderPage(): Promise<string> {
  const shown = readable({ query: "*", saw: () => {} });
  return render(frame, { props: { client: createNetwork().client("ann"), page: people, shown } }).body;
}
