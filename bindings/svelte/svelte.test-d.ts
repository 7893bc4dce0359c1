import type { Readable, Writable } from "svelte/store";
import * as v from "valibot";
import { expectTypeOf } from "vitest";
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
  type Current,
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
  expectTypeOf(useStatus()).toEqualTypeOf<Current<Status>>();
  expectTypeOf(useStatus().current).toEqualTypeOf<Status>();
  expectTypeOf(useStatus()).toExtend<Readable<Status>>();
  expectTypeOf(useSelf()).toEqualTypeOf<Current<Self | undefined>>();
  expectTypeOf(useUsers()).toEqualTypeOf<Current<readonly string[]>>();
  expectTypeOf(usePeers(() => ({ peers: ["a", "b"] }))).toEqualTypeOf<Current<readonly Peer[]>>();
  expectTypeOf(usePeer("a")).toEqualTypeOf<Current<Peer | undefined>>();
  expectTypeOf(useLink(() => "a")).toEqualTypeOf<Current<LinkState>>();
  // @ts-expect-error the value is read-only
  useStatus().current = "online";
  const echo = useCall(Echo);
  expectTypeOf(echo.first).toEqualTypeOf<{ length: number } | undefined>();
  expectTypeOf(echo.replies).toEqualTypeOf<readonly Reply<{ length: number }>[]>();
  expectTypeOf(echo.pending).toEqualTypeOf<boolean>();
  expectTypeOf(echo.error).toEqualTypeOf<BonevalueError | undefined>();
  expectTypeOf(echo.progress.replied).toEqualTypeOf<number>();
  const trust = useTrust();
  expectTypeOf(trust.requestToken("Ann")).resolves.toEqualTypeOf<
    { readonly token: string; readonly expires: Date } | undefined
  >();
  expectTypeOf(trust.pending).toEqualTypeOf<boolean>();
  expectTypeOf(trust.error).toEqualTypeOf<BonevalueError | undefined>();
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
  useModule(Parsed, ({ request }) => request + 1, { allow: () => ({ user: "Ann" }) });
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

const Length = definePresence("Length", v.pipe(v.string(), v.transform(Number)));

export function presence(): void {
  const value = usePresence(Length, "1", { interval: 50 });
  expectTypeOf(value.current).toEqualTypeOf<string>();
  expectTypeOf(value).toExtend<Writable<string>>();
  value.current = "2";
  // @ts-expect-error the value has the wrong type
  value.current = 2;
  // @ts-expect-error the initial value has the wrong type
  usePresence(Length, 1);
  expectTypeOf(useOthers(Length).current).toEqualTypeOf<readonly PeerPresence<number>[]>();
  expectTypeOf(
    useOthers(
      Length,
      () => "Us",
      (others) => others.length > 0,
    ).current,
  ).toEqualTypeOf<boolean>();
  expectTypeOf(useOther(Length, "id").current).toEqualTypeOf<PeerPresence<number> | undefined>();
  expectTypeOf(
    useOther(
      Length,
      () => "id",
      (other) => other.value,
    ).current,
  ).toEqualTypeOf<number | undefined>();
}

export function identity(): void {
  expectTypeOf(useIdentity()).toEqualTypeOf<Current<OwnIdentity | undefined>>();
  expectTypeOf(useIdentityOf("Ann")).toEqualTypeOf<Current<UserIdentity>>();
  useIdentityOf(() => "Ann");
  expectTypeOf(useLink("a").current.verified).toEqualTypeOf<boolean | undefined>();
  // @ts-expect-error a query is not an alias
  useIdentityOf({ user: "Ann" });
  const { acceptIdentity, removeDevice, resetIdentity } = useTrust();
  expectTypeOf(acceptIdentity("Ann", "account")).resolves.toEqualTypeOf<boolean>();
  expectTypeOf(removeDevice("device")).resolves.toEqualTypeOf<boolean>();
  expectTypeOf(resetIdentity()).resolves.toEqualTypeOf<boolean>();
  // @ts-expect-error the account is missing
  acceptIdentity("Ann");
  useModule(Ping, ({ verified }) => expectTypeOf(verified).toEqualTypeOf<boolean>(), { verified: () => true });
  useModule("Bare", ({ verified }) => verified, { verified: true });
  useCall(Ping).call(undefined, { verified: true });
  // @ts-expect-error `verified` is a boolean
  useModule(Ping, () => {}, { verified: "Ann" });
}
