export type { Others } from "../../core/internal.ts";
export { type UseCall, useCall } from "./call.ts";
export { getClient, type SetClientOptions, setClient } from "./client.ts";
export type { Current, MaybeGetter } from "./current.ts";
export { useEvent } from "./event.ts";
export { type UseModuleOptions, useModule } from "./module.ts";
export { type UsePresence, useOther, useOthers, usePresence } from "./presence.ts";
export { useIdentity, useIdentityOf, useLink, usePeer, usePeers, useSelf, useStatus, useUsers } from "./state.ts";
export { type UseTrust, useTrust } from "./trust.ts";
