import * as v from "valibot";
import { expectTypeOf } from "vitest";
import { createApp, type Ref, ref } from "vue";
import {
  type BonevalueError,
  defineModule,
  definePresence,
  type LinkState,
  type OwnIdentity,
  type Peer,
  type PeerPresence,
  type Replies,
  type Reply,
  type Self,
  type Status,
  type UserIdentity,
} from "../../core/index.ts";
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

const Echo = defineModule("Echo", {
  request: v.object({ text: v.string() }),
  response: v.object({ length: v.number() }),
});
const Ping = defineModule("Ping");
const Parsed = defineModule("Parsed", {
  request: v.pipe(v.string(), v.transform(Number)),
  response: v.pipe(v.number(), v.transform(String)),
});

export function state(): void {
  expectTypeOf(useStatus()).toEqualTypeOf<Readonly<Ref<Status>>>();
  expectTypeOf(useSelf()).toEqualTypeOf<Readonly<Ref<Self | undefined>>>();
  expectTypeOf(useUsers()).toEqualTypeOf<Readonly<Ref<readonly string[]>>>();
  expectTypeOf(usePeers(ref("Ann"))).toEqualTypeOf<Readonly<Ref<readonly Peer[]>>>();
  expectTypeOf(usePeers(() => ({ peers: ["a", "b"] }))).toEqualTypeOf<Readonly<Ref<readonly Peer[]>>>();
  expectTypeOf(usePeer(ref("a"))).toEqualTypeOf<Readonly<Ref<Peer | undefined>>>();
  expectTypeOf(useLink("a")).toEqualTypeOf<Readonly<Ref<LinkState>>>();
  // @ts-expect-error the value is read-only
  useStatus().value = "online";
  const echo = useCall(Echo);
  expectTypeOf(echo.first.value).toEqualTypeOf<{ length: number } | undefined>();
  expectTypeOf(echo.replies.value).toEqualTypeOf<readonly Reply<{ length: number }>[]>();
  expectTypeOf(echo.pending.value).toEqualTypeOf<boolean>();
  expectTypeOf(echo.error.value).toEqualTypeOf<BonevalueError | undefined>();
  expectTypeOf(echo.progress.value.replied).toEqualTypeOf<number>();
  const { requestToken, pending, error } = useTrust();
  expectTypeOf(requestToken("Ann")).resolves.toEqualTypeOf<
    { readonly token: string; readonly expires: Date } | undefined
  >();
  expectTypeOf(pending.value).toEqualTypeOf<boolean>();
  expectTypeOf(error.value).toEqualTypeOf<BonevalueError | undefined>();
}

export function calls(): void {
  const { call } = useCall(Echo, () => ({ user: "Ann" }));
  expectTypeOf(call({ text: "Hello" })).toEqualTypeOf<Replies<{ length: number }>>();
  call({ text: "Hello" }, { timeout: 1_000 });
  // @ts-expect-error the request is missing
  call();
  // @ts-expect-error the request has the wrong type
  call({ text: 5 });
  useCall(Ping).call();
  useCall("Bare").call({ anything: 1 });
  // Callers pass the schema's input type and receive its output type.
  expectTypeOf(useCall(Parsed).call("1")).toEqualTypeOf<Replies<string>>();
  // @ts-expect-error a number is not a query
  useCall(Echo, 5);
  const nobodyYet = undefined as { user: string } | undefined;
  // @ts-expect-error undefined must not select every peer
  useCall(Echo, nobodyYet);
  // @ts-expect-error undefined must not select every peer
  usePeers(nobodyYet);
}

export function handlers(): void {
  useModule(Echo, ({ request, signal }) => {
    expectTypeOf(request).toEqualTypeOf<{ text: string }>();
    expectTypeOf(signal).toEqualTypeOf<AbortSignal>();
    return { length: request.text.length };
  });
  useModule(Parsed, ({ request }) => request + 1, { allow: { user: "Ann" } });
  useModule("Bare", ({ request, callback }) => callback(request));
  // @ts-expect-error the response has the wrong type
  useModule(Echo, () => ({ length: "long" }));
  // @ts-expect-error the response is missing
  useModule(Echo, () => {});
  // @ts-expect-error a number is not a query
  useModule(Echo, () => ({ length: 1 }), { allow: 5 });
  useEvent("peerconnect", (peer) => expectTypeOf(peer).toEqualTypeOf<Peer>());
  useEvent("disconnect", (reason) => expectTypeOf(reason).toEqualTypeOf<BonevalueError | undefined>());
  // @ts-expect-error unknown event
  useEvent("peerconnected", () => {});
}

export function plugins(): void {
  useModule(Parsed, ({ request }) => request, { allow: ref("Ann") });
  // @ts-expect-error the client is missing
  createApp({}).use(bonevalue, {});
}

const Length = definePresence("Length", v.pipe(v.string(), v.transform(Number)));

export function presence(): void {
  const value = usePresence(Length, "1", { interval: 50 });
  expectTypeOf(value.value).toEqualTypeOf<string>();
  value.value = "2";
  // @ts-expect-error the value has the wrong type
  value.value = 2;
  // @ts-expect-error the initial value has the wrong type
  usePresence(Length, 1);
  expectTypeOf(useOthers(Length).value).toEqualTypeOf<readonly PeerPresence<number>[]>();
  expectTypeOf(
    useOthers(
      Length,
      () => "Us",
      (others) => others.length > 0,
    ).value,
  ).toEqualTypeOf<boolean>();
  expectTypeOf(useOther(Length, "id").value).toEqualTypeOf<PeerPresence<number> | undefined>();
  expectTypeOf(useOther(Length, ref("id"), (other) => other.value).value).toEqualTypeOf<number | undefined>();
}

export function identity(): void {
  expectTypeOf(useIdentity()).toEqualTypeOf<Readonly<Ref<OwnIdentity | undefined>>>();
  expectTypeOf(useIdentityOf("Ann")).toEqualTypeOf<Readonly<Ref<UserIdentity>>>();
  useIdentityOf(ref("Ann"));
  expectTypeOf(useLink("a").value.verified).toEqualTypeOf<boolean | undefined>();
  // @ts-expect-error a query is not an alias
  useIdentityOf({ user: "Ann" });
  const { acceptIdentity, removeDevice, resetIdentity } = useTrust();
  expectTypeOf(acceptIdentity("Ann", "account")).resolves.toEqualTypeOf<boolean>();
  expectTypeOf(removeDevice("device")).resolves.toEqualTypeOf<boolean>();
  expectTypeOf(resetIdentity()).resolves.toEqualTypeOf<boolean>();
  // @ts-expect-error the account is missing
  acceptIdentity("Ann");
  useModule(Ping, ({ verified }) => expectTypeOf(verified).toEqualTypeOf<boolean>(), { verified: ref(true) });
  useModule("Bare", ({ verified }) => verified, { verified: true });
  useCall(Ping).call(undefined, { verified: true });
  // @ts-expect-error `verified` is a boolean
  useModule(Ping, () => {}, { verified: "Ann" });
}
