import "./inspect.ts";

export { exportLog } from "./export-log.ts";
export { type InspectorOptions, mount } from "./mount.ts";
