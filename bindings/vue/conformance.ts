import {
  type Component,
  createApp,
  createSSRApp,
  defineComponent,
  type FunctionalComponent,
  h,
  ref,
  shallowRef,
  watchPostEffect,
} from "vue";
import type { Framework } from "../conformance/framework.ts";
import { Ask, Count, callLine, line, type Pages, read, trustLine } from "../conformance/pages.ts";
import {
  bonevalue,
  useCall,
  useEvent,
  useLink,
  useModule,
  usePeer,
  usePeers,
  useSelf,
  useStatus,
  useTrust,
  useUsers,
} from "./index.ts";

const Peers: Component = defineComponent(
  (props: Pages["people"]) => {
    const peers = usePeers(() => props.query);
    return () => {
      props.saw(peers.value);
      return h("p", { class: "peers" }, line(props.query, peers.value));
    };
  },
  { props: ["query", "saw"] },
);

const People: Component = defineComponent(
  (props: Pages["people"]) => {
    const status = useStatus();
    const self = useSelf();
    const users = useUsers();
    return () =>
      h("main", [
        h("p", { class: "status" }, status.value),
        h("p", { class: "self" }, self.value?.username ?? "nobody"),
        h("p", { class: "users" }, users.value.join(" ")),
        h(Peers, props),
        h(Peers, props),
      ]);
  },
  { props: ["query", "saw"] },
);

const Row: Component = defineComponent(
  (props: { id: string; rendered: Pages["rows"]["rendered"] }) => {
    const peer = usePeer(() => props.id);
    const link = useLink(() => props.id);
    return () => {
      props.rendered(props.id);
      return h("li", { class: "row" }, `${peer.value?.name} ${link.value.status}`);
    };
  },
  { props: ["id", "rendered"] },
);

const Rows: FunctionalComponent<Pages["rows"]> = ({ ids, rendered }) =>
  h(
    "ul",
    ids.map((id) => h(Row, { key: id, id, rendered })),
  );
Rows.props = ["ids", "rendered"];

const Caller: Component = defineComponent(
  (props: Pages["caller"]) => {
    const { call, cancel, reset, pending, progress, first, error } = useCall(Ask, () => props.query);
    props.made({ call, cancel, reset });
    return () =>
      h(
        "p",
        { class: "call" },
        callLine({ pending: pending.value, progress: progress.value, first: first.value, error: error.value }),
      );
  },
  { props: ["query", "made"] },
);

const Reader: Component = defineComponent(
  (props: Pages["reader"]) => {
    const item = ref<number>();
    const { call } = useCall(Count, "bob");
    watchPostEffect(() => {
      read(call(props.from), (now) => {
        item.value = now;
      });
    });
    return () => h("p", { class: "reader" }, item.value);
  },
  { props: ["from"] },
);

const Offer: Component = defineComponent(
  (props: Pages["offer"]) => {
    useModule(Ask, () => props.answer, { allow: () => props.allow });
    useEvent("peerconnect", (peer) => props.heard(props.answer, peer));
    return () => undefined;
  },
  { props: ["answer", "heard", "allow"] },
);

const Places: FunctionalComponent<Pages["places"]> = ({ answer }) => h(Offer, { key: answer, answer, heard: () => {} });
Places.props = ["answer"];

const Trust: Component = defineComponent(
  (props: Pages["trust"]) => {
    const { claimToken, pending, error } = useTrust();
    props.made(claimToken);
    return () => h("p", { class: "trust" }, trustLine(pending.value, error.value));
  },
  { props: ["made"] },
);

/** Each page, as a component. */
export const pages: { readonly [Name in keyof Pages]: Component } = {
  people: People,
  rows: Rows,
  caller: Caller,
  reader: Reader,
  offer: Offer,
  places: Places,
  trust: Trust,
};

/** The pages in Vue. */
export const vue: Framework = {
  name: "Vue",
  serverPage: "Vue",
  mount(name, props, { client, host, hydrate }) {
    const shown = shallowRef(props);
    const app = (hydrate ? createSSRApp : createApp)(() => h(pages[name], shown.value));
    app.use(bonevalue, { client }).mount(host);
    return {
      update(now) {
        shown.value = now;
      },
      unmount: () => app.unmount(),
    };
  },
};
