import type { Client, Inspect } from "../client.ts";
import { websocket } from "../discovery/websocket.ts";
import { limitsOf } from "../limits.ts";
import { webrtc } from "../transport/webrtc.ts";
import { type ClientLog, createClientLog, recordErrors } from "./client-log.ts";
import { observeDiscovery } from "./observe-discovery.ts";
import { observeTransport } from "./observe-transport.ts";

/** Creates observed clients, and finds their logs. */
interface Inspector extends Inspect {
  readonly logs: WeakMap<Client, ClientLog>;
}

// `createClient` reads this. A page may load this file twice, under two URLs: both copies use the inspector of the first.
const key = Symbol.for("bonevalue.devtools");
const page = globalThis as { [key]?: Inspector };
page[key] ??= createInspector();

/** Returns the log of a client, if it was created after this file was loaded. */
export function logOf(client: Client): ClientLog | undefined {
  return page[key]?.logs.get(client);
}

function createInspector(): Inspector {
  const logs = new WeakMap<Client, ClientLog>();

  const inspect: Inspect = (options, create) => {
    const { discovery = websocket(), transport = webrtc() } = options;
    const { messageSize, depth } = limitsOf(options.limits);
    const log = createClientLog();
    const client = create({
      ...options,
      discovery: observeDiscovery(discovery, log),
      transport: observeTransport(transport, log, { value: messageSize, depth }),
    });
    recordErrors(client, log);
    logs.set(client, log);
    return client;
  };
  return Object.assign(inspect, { logs });
}
