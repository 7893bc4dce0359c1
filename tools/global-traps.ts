import { parentPort, workerData } from "node:worker_threads";

const pageGlobals = [
  ...["window", "document", "location", "navigator", "localStorage", "sessionStorage", "indexedDB", "addEventListener"],
  ...["RTCPeerConnection", "RTCDataChannel", "WebSocket", "BroadcastChannel", "fetch", "Blob", "File", "Worker"],
];

// Loads the frameworks first, because their own imports may read browser globals.
for (const framework of ["react", "vue", "svelte/reactivity", "svelte/store", "yjs", "y-protocols/awareness"])
  await import(framework);

const read = new Set<string>();
for (const name of pageGlobals) {
  Object.defineProperty(globalThis, name, { configurable: true, get: () => void read.add(name) });
}
await import(workerData);
parentPort!.postMessage([...read]);
