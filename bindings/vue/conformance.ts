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
import {
  Ask,
  Count,
  formatCall,
  formatOthers,
  formatOwnIdentity,
  formatPeers,
  formatRow,
  formatTrust,
  formatUserIdentity,
  type Pages,
  Position,
  showItems,
} from "../conformance/pages.ts";
import {
  bonevalue,
  useCall,
  useEvent,
  useIdentity,
  useIdentityOf,
  useLink,
  useModule,
  useOther,
  useOthers,
  usePeer,
  usePeers,
  usePresence,
  useSelf,
  useStatus,
  useTrust,
  useUsers,
} from "./index.ts";

const Peers: Component = defineComponent(
  (props: Pages["presence"]) => {
    const peers = usePeers(() => props.query);
    return () => {
      props.onPeers(peers.value);
      return h("p", { class: "peers" }, formatPeers(props.query, peers.value));
    };
  },
  { props: ["query", "onPeers"] },
);

const PresencePage: Component = defineComponent(
  (props: Pages["presence"]) => {
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
  { props: ["query", "onPeers"] },
);

const Row: Component = defineComponent(
  (props: { id: string; onRender: Pages["rows"]["onRender"] }) => {
    const peer = usePeer(() => props.id);
    const link = useLink(() => props.id);
    return () => {
      props.onRender(props.id);
      return h("li", { class: "row" }, formatRow(peer.value, link.value));
    };
  },
  { props: ["id", "onRender"] },
);

const Rows: FunctionalComponent<Pages["rows"]> = ({ ids, onRender }) =>
  h(
    "ul",
    ids.map((id) => h(Row, { key: id, id, onRender })),
  );
Rows.props = ["ids", "onRender"];

const Caller: Component = defineComponent(
  (props: Pages["caller"]) => {
    const { call, cancel, reset, pending, progress, first, error } = useCall(Ask, () => props.query);
    props.onReady({ call, cancel, reset });
    return () =>
      h(
        "p",
        { class: "call" },
        formatCall({ pending: pending.value, progress: progress.value, first: first.value, error: error.value }),
      );
  },
  { props: ["query", "onReady"] },
);

const StreamReader: Component = defineComponent(
  (props: Pages["streamReader"]) => {
    const item = ref<number>();
    const { call } = useCall(Count, "bob");
    watchPostEffect(() => {
      showItems(call(props.from), (now) => {
        item.value = now;
      });
    });
    return () => h("p", { class: "reader" }, item.value);
  },
  { props: ["from"] },
);

const ModulePage: Component = defineComponent(
  (props: Pages["module"]) => {
    useModule(Ask, () => props.answer, { allow: () => props.allow, verified: () => props.verified });
    useEvent("peerconnect", (peer) => props.onPeerConnect(props.answer, peer));
    return () => undefined;
  },
  { props: ["answer", "onPeerConnect", "allow", "verified"] },
);

const KeyedModule: FunctionalComponent<Pages["keyedModule"]> = ({ answer }) =>
  h(ModulePage, { key: answer, answer, onPeerConnect: () => {} });
KeyedModule.props = ["answer"];

const Trust: Component = defineComponent(
  (props: Pages["trust"]) => {
    const { pending, error, ...requests } = useTrust();
    props.onReady(requests);
    return () => h("p", { class: "trust" }, formatTrust(pending.value, error.value));
  },
  { props: ["onReady"] },
);

const Identity: Component = defineComponent(
  (props: Pages["identity"]) => {
    const own = useIdentity();
    const user = useIdentityOf(() => props.alias);
    const peers = usePeers(() => props.alias);
    const link = useLink(() => peers.value[0]?.id ?? "");
    return () =>
      h("main", [
        h("p", { class: "own" }, formatOwnIdentity(own.value)),
        h("p", { class: "user" }, formatUserIdentity(props.alias, user.value)),
        h("p", { class: "link" }, String(link.value.verified)),
      ]);
  },
  { props: ["alias"] },
);

const Others: Component = defineComponent(
  (props: Pages["others"]) => {
    const others = useOthers(Position, () => props.query);
    return () =>
      h("main", [h("p", { class: "others" }, formatOthers(others.value)), h(OtherCount, { onCount: props.onCount })]);
  },
  { props: ["query", "onCount"] },
);

const OtherCount: Component = defineComponent(
  (props: Pick<Pages["others"], "onCount">) => {
    const count = useOthers(Position, "*", ({ length }) => length);
    return () => {
      props.onCount(count.value);
      return h("p", { class: "count" }, count.value);
    };
  },
  { props: ["onCount"] },
);

const OtherRow: Component = defineComponent(
  (props: { id: string; onRender: Pages["otherRows"]["onRender"] }) => {
    const value = useOther(
      Position,
      () => props.id,
      (other) => other.value,
    );
    return () => {
      props.onRender(props.id);
      return h("li", { class: "other" }, `${value.value}`);
    };
  },
  { props: ["id", "onRender"] },
);

const OtherRows: FunctionalComponent<Pages["otherRows"]> = ({ ids, onRender }) =>
  h(
    "ul",
    ids.map((id) => h(OtherRow, { key: id, id, onRender })),
  );
OtherRows.props = ["ids", "onRender"];

const OwnValue: Component = defineComponent(
  (props: Pages["own"]) => {
    const value = usePresence(Position, props.initial);
    props.onReady((next) => {
      value.value = next;
    });
    return () => h("p", { class: "own" }, value.value);
  },
  { props: ["initial", "onReady"] },
);

const Own: FunctionalComponent<Pages["own"]> = ({ initial, onReady }) =>
  h("main", [h(OwnValue, { initial, onReady }), h(OwnValue, { initial: initial + 1, onReady })]);
Own.props = ["initial", "onReady"];

/** The test pages as components. */
export const pages: { readonly [Name in keyof Pages]: Component } = {
  presence: PresencePage,
  rows: Rows,
  caller: Caller,
  streamReader: StreamReader,
  module: ModulePage,
  keyedModule: KeyedModule,
  others: Others,
  otherRows: OtherRows,
  own: Own,
  trust: Trust,
  identity: Identity,
};

/** The test pages in Vue. */
export const vue: Framework = {
  name: "Vue",
  serverPage: "Vue",
  mount(name, props, { client, host, hydrate, resume }) {
    const shown = shallowRef(props);
    const app = (hydrate ? createSSRApp : createApp)(() => h(pages[name], shown.value));
    app.use(bonevalue, { client, resume }).mount(host);
    return {
      update(now) {
        shown.value = now;
      },
      unmount: () => app.unmount(),
    };
  },
};
