"use client";

export type { Others } from "../../core/internal.ts";
export { type UseCall, useCall } from "./call.ts";
export type { Connect } from "./connection.ts";
export { useEvent } from "./event.ts";
export { type UseModuleOptions, useModule } from "./module.ts";
export { useOther, useOthers, usePresence } from "./presence.ts";
export { BonevalueProvider, type BonevalueProviderProps, useClient } from "./provider.ts";
export { useIdentity, useIdentityOf, useLink, usePeer, usePeers, useSelf, useStatus, useUsers } from "./state.ts";
export { type UseTrust, useTrust } from "./trust.ts";
