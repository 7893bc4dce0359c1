export type { Others } from "../../core/internal.ts";
export { type UseCall, useCall } from "./call.ts";
export { type BonevalueOptions, bonevalue, useClient } from "./client.ts";
export { useEvent } from "./event.ts";
export { type UseModuleOptions, useModule } from "./module.ts";
export { useOther, useOthers, usePresence } from "./presence.ts";
export { useIdentity, useIdentityOf, useLink, usePeer, usePeers, useSelf, useStatus, useUsers } from "./state.ts";
export { type UseTrust, useTrust } from "./trust.ts";
