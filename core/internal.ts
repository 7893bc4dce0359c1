/**
 * What the framework bindings share, beside the public API. Not public: it can change in any release, and only `bindings/`
 * imports it. The built bindings import it as `bonevalue/internal`, so that an app holds one copy of the core.
 */
export { keepSame, type Others, type SharedPresence, selectFrom, sharePresence, viewOthers } from "./presence-view.ts";
export { createLatestCall, type LatestCall } from "./rpc/latest-call.ts";
export { createTrust, type Trust } from "./trust.ts";
