import { expect, test } from "vitest";
import { createApp, defineComponent, h, KeepAlive, nextTick, ref } from "vue";
import { createNetwork } from "../../core/testing/network.ts";
import { eventually } from "../../tools/eventually.ts";
import { createCountingClient } from "../conformance/counting-client.ts";
import { Ask } from "../conformance/pages.ts";
import { bonevalue, useEvent, useModule } from "./index.ts";

test("a component that KeepAlive has deactivated keeps its module and its listener until its app unmounts", async () => {
  const network = createNetwork();
  const [ann, bob] = [createCountingClient(network.client("ann")), network.client("bob")];
  await bob.connect("test", "bob", "");
  await ann.client.connect("test", "ann", "");
  const askAnn = () => bob.get("ann").call(Ask, "").first();
  const disconnected: string[] = [];
  const Offers = defineComponent(() => {
    useModule(Ask, () => "ann");
    useEvent("peerdisconnect", (id) => disconnected.push(id));
    return () => h("p");
  });
  const shown = ref(true);
  const app = createApp(() => h(KeepAlive, () => (shown.value ? h(Offers) : h("b")))).use(bonevalue, {
    client: ann.client,
  });
  const page = document.createElement("div");
  app.mount(page);
  expect(await askAnn()).toBe("ann");
  shown.value = false;
  await nextTick();
  expect(page.innerHTML).toBe("<b></b>");
  expect(await askAnn()).toBe("ann");
  const id = bob.getId();
  await bob.disconnect();
  await eventually(() => expect(disconnected).toEqual([id]));
  app.unmount();
  expect(ann.open).toBe(0);
  await ann.client.disconnect();
});
